/** A job's definition as text (YAML or JSON, as it was written) and as a graph. Edits change the text in place. */

import { type Document, isMap, parseDocument, type YAMLMap } from "yaml";

const NODES = "CodeGenConfigurationNodes";

export interface JobNode {
  id: string;
  kind: string;
  name: string;
  inputs: string[];
  settings: Record<string, unknown>;
}

export interface JobGraph {
  name: string;
  nodes: JobNode[];
  arguments: Record<string, string>;
  problem: string | null;
}

function documentOf(text: string): Document {
  return parseDocument(text, { keepSourceTokens: false });
}

/** The text again: JSON stays JSON. */
function written(document: Document, before: string): string {
  return /^\s*\{/.test(before) ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString({ lineWidth: 110, flowCollectionPadding: false });
}

export function graph(text: string): JobGraph {
  const document = documentOf(text);
  const problem = document.errors[0]?.message ?? null;
  const value = (document.toJS() ?? {}) as Record<string, unknown>;
  const of = (name: string) => Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  const nodes: JobNode[] = [];
  const given = of(NODES);
  if (given && typeof given === "object") {
    for (const [id, node] of Object.entries(given as Record<string, unknown>)) {
      const [kind, settings] = Object.entries((node ?? {}) as Record<string, Record<string, unknown>>)[0] ?? ["", {}];
      const own = settings ?? {};
      nodes.push({ id, kind, name: String(own.Name ?? id), inputs: Array.isArray(own.Inputs) ? own.Inputs.map(String) : [], settings: own });
    }
  }
  const given2 = (of("DefaultArguments") ?? {}) as Record<string, unknown>;
  return { name: String(of("Name") ?? ""), nodes, arguments: Object.fromEntries(Object.entries(given2).map(([key, one]) => [key, String(one ?? "")])), problem };
}

/** The name under which the server keeps a definition: its own, or else that of its file. */
export function nameOf(text: string, file: string): string {
  const value: unknown = documentOf(text).toJS();
  const map = (one: unknown) => (one && typeof one === "object" ? (one as Record<string, unknown>) : {});
  const whole = map(value);
  // The answer of GetJob and the request of UpdateJob have the job within.
  const inner = whole[NODES] === undefined ? [whole.Job, whole.JobUpdate].map(map).find((one) => NODES in one || "Command" in one || "Role" in one) : undefined;
  const own = (inner ?? whole).Name ?? (inner ? whole.JobName : undefined);
  if (own !== undefined && own !== null) return String(own);
  if (NODES in (inner ?? whole) || !("Command" in (inner ?? whole))) return file.replace(/^.*[/\\]/, "").split(".")[0] || "job";
  return file;
}

function nodeMap(document: Document, id: string, kind: string): YAMLMap | null {
  const found = document.getIn([NODES, id, kind]);
  return isMap(found) ? found : null;
}

/** Sets one setting of a node; `undefined` takes it away. */
export function setSetting(text: string, node: JobNode, key: string, value: unknown): string {
  const document = documentOf(text);
  const map = nodeMap(document, node.id, node.kind);
  if (!map) return text;
  if (value === undefined) map.delete(key);
  else map.set(key, document.createNode(value, { flow: typeof value === "object" }));
  return written(document, text);
}

/** Joins two nodes, or parts them. */
export function setInput(text: string, node: JobNode, input: string, joined: boolean): string {
  const inputs = joined ? [...new Set([...node.inputs, input])] : node.inputs.filter((one) => one !== input);
  return setSetting(text, node, "Inputs", inputs);
}

/** The settings that a new node of a kind begins with. */
export const NEW: Record<string, Record<string, unknown>> = {
  S3CsvSource: { Paths: ["s3://bucket/folder/"], Separator: "comma", QuoteChar: "quote", WithHeader: true },
  S3JsonSource: { Paths: ["s3://bucket/folder/"] },
  S3ParquetSource: { Paths: ["s3://bucket/folder/"] },
  CatalogSource: { Database: "default", Table: "table" },
  ApplyMapping: { Inputs: [], Mapping: [] },
  Filter: { Inputs: [], LogicalOperator: "AND", Filters: [] },
  SparkSQL: { Inputs: [], SqlQuery: "SELECT * FROM input", SqlAliases: [] },
  DropDuplicates: { Inputs: [] },
  Aggregate: { Inputs: [], Groups: [], Aggs: [] },
  Join: { Inputs: [], JoinType: "equijoin", Columns: [] },
  S3DirectTarget: { Inputs: [], Path: "s3://bucket/folder/", Format: "json" },
  S3GlueParquetTarget: { Inputs: [], Path: "s3://bucket/folder/" },
};

export function addNode(text: string, kind: string): { text: string; id: string } {
  const document = documentOf(text);
  const before = graph(text);
  const word = kind.replace(/^S3|Source$|Target$/g, "").toLowerCase() || kind.toLowerCase();
  let id = word;
  for (let n = 2; before.nodes.some((node) => node.id === id); n += 1) id = `${word}-${n}`;
  if (!document.has(NODES)) document.set(NODES, document.createNode({}));
  document.setIn([NODES, id], document.createNode({ [kind]: { Name: kind, ...NEW[kind] } }));
  return { text: written(document, text), id };
}

export function removeNode(text: string, id: string): string {
  let next = text;
  for (const node of graph(text).nodes) if (node.inputs.includes(id)) next = setInput(next, node, id, false);
  const document = documentOf(next);
  document.deleteIn([NODES, id]);
  return written(document, next);
}
