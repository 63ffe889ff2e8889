import { describe, expect, it } from "vitest";
import type { Rows } from "../../shared/types";
import { byTime, epoch, filledUp, frame, lines, numbersOf, reduced } from "./frame";
import { localUrl } from "./panel";
import { cellsOf } from "./panels/charts";
import { type GraphEdge, layers, place } from "./panels/graph";
import { graphOf } from "./panels/nodes";
import { queries, read } from "./annotations";
import { bandsOf } from "./panels/simple";
import { marked } from "./panels/timeseries";
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
    expect(found.map((line) => line.name)).toEqual(["a", "b"]);
    expect([...(found[1]?.points ?? [])]).toEqual([Date.UTC(2026, 2, 2), Number.NaN, Date.UTC(2026, 2, 2, 1), 2]);
    expect(found[1]?.config).toMatchObject({ unit: "s", custom: { lineWidth: 3 } });
  });
  it("series stand by name however their rows come", () => {
    const of = (names: string[]) => {
      const all = names.map((name) => ["1970-01-01 00:00:01", name, "1"]);
      return lines([frame(rows([["time", "timestamp(3)"], ["s", "varchar"], ["v", "double"]], all), panel, "A")], panel).map((line) => line.name);
    };
    expect(of(["service-10", "service-2", "alpha"])).toEqual(["alpha", "service-2", "service-10"]);
    expect(of(["service-2", "alpha", "service-10"])).toEqual(["alpha", "service-2", "service-10"]);
  });
  it("rows of one time stay in their order, those without a time are left out", () => {
    expect([...byTime([30, 10, 20, Number.NaN], Int32Array.of(0, 1, -1, 0, 2, 3, 1))]).toEqual([1, 6, 4, 0, 3]);
    const field = frame(rows([["time", "timestamp(3)"]], [["1970-01-01 00:00:02"], [null], ["1970-01-01 00:00:01"]]), panel, "A").fields[0];
    expect([field?.values, [...(field?.order ?? [])]]).toEqual([[2000, null, 1000], [2, 0]]);
  });
  it("points of two queries meet in a line", () => {
    const one = (at: string, value: string) => frame(rows([["time", "timestamp(3)"], ["v", "double"]], [[at, value]]), panel, "A");
    const found = lines([one("1970-01-01 00:00:02", "2"), one("1970-01-01 00:00:01", "1")], panel);
    expect(found.map((line) => [...line.points])).toEqual([[1000, 1, 2000, 2]]);
    expect(found.map(numbersOf)).toEqual([[1, 2]]);
  });
  it("many points have room", () => {
    const many = rows([["time", "bigint"], ["v", "double"]], Array.from({ length: 1000 }, (_, n) => [String(1_772_438_400 + n), String(n)]));
    expect(numbersOf(lines([frame(many, panel, "A")], panel)[0] ?? { name: "", config: {}, points: new Float64Array() })).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });
  it("heatmaps have a place for each", () => {
    const line = (...points: number[]) => ({ name: "", config: {}, points: Float64Array.from(points) });
    expect(cellsOf([line(1, 5, 3, Number.NaN), line(2, 7)])).toEqual({ times: [1, 2, 3], most: 7, cells: Float64Array.of(0, 0, 5, 2, 0, 0, 1, 1, 7) });
  });
  it("numbers are reduced as the panel says", () => {
    const of = (calcs: string[]) => reduced([frame(rows([["v", "bigint"]], [["1"], ["5"], ["3"]]), { type: "stat", options: { reduceOptions: { calcs } } }, "A")], { type: "stat", options: { reduceOptions: { calcs } } })[0]?.value;
    expect([of(["lastNotNull"]), of(["max"]), of(["sum"]), of(["mean"]), of([])]).toEqual([3, 5, 9, 3, 3]);
  });
});

describe("annotations", () => {
  it("are read from the columns that Grafana names", () => {
    const query = { name: "deploys", iconColor: "red" };
    const found = read(rows([["time", "timestamp(3)"], ["timeEnd", "timestamp(3)"], ["title", "varchar"], ["text", "varchar"], ["tags", "varchar"]], [
      ["2026-03-02 01:00:00.000", null, "v2", "rolled out", "api, blue"], ["2026-03-02 02:00:00.000", "2026-03-02 03:00:00.000", null, "outage", null], [null, null, null, "lost", null],
    ]), query);
    expect(found).toEqual([
      { name: "deploys", at: Date.UTC(2026, 2, 2, 1), until: null, text: "v2: rolled out", tags: ["api", "blue"], colour: "#c2404e" },
      { name: "deploys", at: Date.UTC(2026, 2, 2, 2), until: Date.UTC(2026, 2, 2, 3), text: "outage", tags: [], colour: "#c2404e" },
    ]);
    expect(read(rows([["time", "bigint"]], [["1772438400"]]), query)[0]).toMatchObject({ at: 1_772_438_400_000, text: "deploys" });
  });
  it("only queries of SQL are asked", () => {
    const list = [{ name: "own", builtIn: 1 }, { name: "a", rawQuery: "SELECT 1" }, { name: "b", target: { rawSQL: "SELECT 2" } }];
    expect(queries({ title: "T", panels: [], annotations: { list } }).map((one) => one.name)).toEqual(["a", "b"]);
  });
  it("are lines at moments and bands over spans", () => {
    const one = { name: "d", at: 5, until: null, text: "", tags: [], colour: "red" };
    const series = marked([one, { ...one, at: 7, until: 9 }]) as { markLine: { data: { xAxis: number }[] }; markArea: { data: { xAxis: number }[][] } };
    expect(series.markLine.data.map((line) => line.xAxis)).toEqual([5]);
    expect(series.markArea.data.map((pair) => pair.map((end) => end.xAxis))).toEqual([[7, 9]]);
  });
});

describe("gauges", () => {
  it("have a band for each threshold within their ends", () => {
    const steps = [{ color: "green", value: null }, { color: "orange", value: 70 }, { color: "red", value: 90 }];
    expect(bandsOf(steps, 0, 100)).toEqual([[0.7, "green"], [0.9, "orange"], [1, "red"]]);
    expect(bandsOf(steps, 80, 100)).toEqual([[0.5, "orange"], [1, "red"]]);
    expect(bandsOf(steps, 0, 50)).toEqual([[1, "green"]]);
  });
});

describe("gaps", () => {
  const range = { from: 1500, to: 5500 };
  it.each([
    [null, [1000, 1, 2000, Number.NaN, 3000, 3, 4000, Number.NaN, 5000, Number.NaN]],
    ["previous" as const, [1000, 1, 2000, 1, 3000, 3, 4000, 3, 5000, 3]],
    [0, [1000, 1, 2000, 0, 3000, 3, 4000, 0, 5000, 0]],
  ])("are filled with %s", (filler, expected) => {
    expect([...filledUp(Float64Array.of(1000, 1, 3000, 3), { step: 1000, with: filler, range })]).toEqual(expected);
  });
  it("points outside of the range stay", () => {
    expect([...filledUp(Float64Array.of(500, 7, 3000, 3, 9000, 9), { step: 1000, with: "previous", range: { from: 1500, to: 3500 } })]).toEqual([500, 7, 1000, 7, 2000, 7, 3000, 3, 9000, 9]);
  });
  it("too many points are not made", () => {
    expect([...filledUp(Float64Array.of(1000, 1), { step: 1, with: 0, range: { from: 0, to: 1e9 } })]).toEqual([1000, 1]);
  });
  it("a column of seconds is a time", () => {
    expect([epoch(1_772_438_400), epoch(1_772_438_400_000), epoch(1_772_438_400_000_000_000)]).toEqual([1_772_438_400_000, 1_772_438_400_000, 1_772_438_400_000]);
    const found = frame(rows([["time", "double"], ["v", "double"]], [["1772438400", "2"]]), panel, "A");
    expect(found.fields.map((field) => field.type)).toEqual(["time", "number"]);
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
