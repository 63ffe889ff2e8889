import { describe, expect, it } from "vitest";
import type { Rows } from "../../shared/types";
import { frame, lines, reduced } from "./frame";
import { localUrl } from "./panel";
import { type GraphEdge, layers, place } from "./panels/graph";
import { graphOf } from "./panels/nodes";
import { format, thresholdColour } from "./units";

const rows = (columns: [string, string][], cells: (string | null)[][]): Rows => ({
  columns: columns.map(([name, type]) => ({ name, type })), rows: cells, more: false, is_text: false,
});
const panel = { type: "timeseries", fieldConfig: { defaults: { unit: "ms" }, overrides: [{ matcher: { id: "byName", options: "b" }, properties: [{ id: "unit", value: "s" }, { id: "custom.lineWidth", value: 3 }] }] } };

describe("frames", () => {
  const data = rows([["time", "timestamp(3)"], ["service", "varchar"], ["value", "double"]], [
    ["2026-03-02 01:00:00.000", "b", "2"], ["2026-03-02 00:00:00.000", "a", "1"], ["2026-03-02 00:00:00.000", "b", null],
  ]);
  it("texts tell series apart, in the order of time", () => {
    const found = lines([frame(data, panel, "A")], panel);
    expect(found.map((line) => line.name)).toEqual(["b", "a"]);
    expect(found[0]?.points).toEqual([[Date.UTC(2026, 2, 2), null], [Date.UTC(2026, 2, 2, 1), 2]]);
    expect(found[0]?.config).toMatchObject({ unit: "s", custom: { lineWidth: 3 } });
  });
  it("numbers are reduced as the panel says", () => {
    const of = (calcs: string[]) => reduced([frame(rows([["v", "bigint"]], [["1"], ["5"], ["3"]]), { type: "stat", options: { reduceOptions: { calcs } } }, "A")], { type: "stat", options: { reduceOptions: { calcs } } })[0]?.value;
    expect([of(["lastNotNull"]), of(["max"]), of(["sum"]), of(["mean"]), of([])]).toEqual([3, 5, 9, 3, 3]);
  });
});

describe("units and thresholds", () => {
  it.each([
    [1234, "short", "1.23 K"], [0.9876, "percentunit", "98.8%"], [1536, "bytes", "1.5 KiB"], [90_000, "ms", "1.5 min"], [12, undefined, "12"],
    [0.5, "s", "500 ms"], [3, "apples", "3 apples"], [null, "ms", "–"],
  ])("%s %s", (value, unit, expected) => expect(format(value, unit)).toBe(expected));
  it("the highest step that is reached counts", () => {
    const defaults = { thresholds: { steps: [{ color: "#111111", value: null }, { color: "#222222", value: 10 }, { color: "#333333", value: 20 }] } };
    expect([9, 10, 25].map((value) => thresholdColour(value, defaults))).toEqual(["#111111", "#222222", "#333333"]);
  });
});

describe("graphs", () => {
  const edge = (source: string, target: string): GraphEdge => ({ id: `${source}>${target}`, source, target, main: 1, second: null, row: 0 });
  const node = (id: string) => ({ id, title: id, main: null, second: null, arcs: [], row: 0 });
  it("callers stand before those they call, circles end", () => {
    const depth = layers(["a", "b", "c", "d"].map(node), [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("a", "c"), edge("d", "d")]);
    expect([depth.get("a"), depth.get("b"), depth.get("c"), depth.get("d")]).toEqual([0, 1, 2, 0]);
  });
  it("every node has a place of its own", () => {
    const nodes = Array.from({ length: 30 }, (_, n) => node(`n${n}`));
    const places = place(nodes, nodes.slice(1).map((one) => edge("n0", one.id)), 900, 400);
    expect(new Set([...places.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(30);
  });
  it("frames become nodes and edges; nodes that only edges name are there too", () => {
    const own = { type: "nodeGraph" };
    const found = graphOf([
      frame(rows([["id", "varchar"], ["title", "varchar"], ["mainstat", "bigint"], ["arc__ok", "double"]], [["a", "A", "7", "0.5"]]), own, "nodes"),
      frame(rows([["id", "varchar"], ["source", "varchar"], ["target", "varchar"], ["mainstat", "bigint"]], [["1", "a", "b", "7"]]), own, "edges"),
    ]);
    expect(found.nodes.map((one) => [one.id, one.title, one.main])).toEqual([["a", "A", 7], ["b", "b", null]]);
    expect(found.edges).toMatchObject([{ source: "a", target: "b", main: 7 }]);
  });
  it("addresses of Grafana are the console's", () => {
    expect(localUrl("/d/service-metrics/slug?var-a=b")).toBe("/dashboards/service-metrics?var-a=b");
    expect(localUrl("/runs")).toBe("/runs");
  });
});
