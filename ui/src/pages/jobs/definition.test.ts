import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addNode, graph, nameOf, removeNode, setInput, setSetting } from "./definition";

const example = readFileSync(join(import.meta.dirname, "../../../../examples/metrics-plain/job.yaml"), "utf8");

describe("a job's text is edited in place", () => {
  it("reads nodes with their inputs", () => {
    const read = graph(example);
    expect(read.name).toBe("metrics-plain");
    expect(read.nodes.map((node) => [node.id, node.kind, node.inputs.join()])).toEqual([
      ["files", "S3CsvSource", ""], ["typed", "ApplyMapping", "files"], ["windows", "DynamicTransform", "typed"], ["lake", "S3GlueParquetTarget", "windows"],
    ]);
    expect(read.arguments["--input"]).toBe("s3://plain-metrics/");
  });

  it("a setting changes, comments and the others stay", () => {
    const node = graph(example).nodes[3];
    expect(node).toBeDefined();
    if (!node) return;
    const next = setSetting(example, node, "Path", "s3://elsewhere/");
    expect(next.split("\n")[0]).toBe(example.split("\n")[0]);
    expect(graph(next).nodes[3]?.settings).toMatchObject({ Path: "s3://elsewhere/", Name: "Parquet" });
    expect(graph(next).nodes.slice(0, 3)).toEqual(graph(example).nodes.slice(0, 3));
  });

  it("nodes are added, joined, parted and removed", () => {
    const added = addNode(example, "Filter");
    const find = (text: string) => graph(text).nodes.find((node) => node.id === added.id);
    const own = find(added.text);
    expect(own?.kind).toBe("Filter");
    if (!own) return;
    const joined = setInput(added.text, own, "typed", true);
    expect(find(joined)?.inputs).toEqual(["typed"]);
    const without = removeNode(joined, "typed");
    expect(find(without)?.inputs).toEqual([]);
    expect(graph(without).nodes.map((node) => node.id)).not.toContain("typed");
  });

  it("JSON stays JSON", () => {
    const text = '{"Name":"j","CodeGenConfigurationNodes":{"a":{"S3CsvSource":{"Name":"A","Paths":["s3://b/"]}}}}';
    const node = graph(text).nodes[0];
    if (!node) throw new Error("no node");
    expect(JSON.parse(setSetting(text, node, "Paths", ["s3://c/"])).CodeGenConfigurationNodes.a.S3CsvSource.Paths).toEqual(["s3://c/"]);
  });

  it.each([
    [example, "other.yaml", "metrics-plain"],
    ["CodeGenConfigurationNodes: {}", "jobs/nightly.v2.yaml", "nightly"],
    ['{"Job": {"Name": "inner", "Role": "r", "CodeGenConfigurationNodes": {}}}', "job.json", "inner"],
    ['{"JobName": "beside", "JobUpdate": {"CodeGenConfigurationNodes": {}}}', "job.json", "beside"],
    ["Command: {Name: pythonshell, ScriptLocation: s3://b/a.py}", "job.yaml", "job.yaml"],
    ["", "", "job"],
  ])("the name of %s", (text, file, name) => expect(nameOf(text, file)).toBe(name));
});
