import { describe, expect, it } from "vitest";
import { lineage, pretty } from "./lineage";
import type { Shard } from "./types";

const shard = (n: number, first: string, last: string, parent?: number, adjacent?: number): Shard => ({
  id: `shardId-${n}`, parent: parent === undefined ? null : `shardId-${parent}`, adjacent_parent: adjacent === undefined ? null : `shardId-${adjacent}`,
  first_hash: first.padEnd(32, "0"), last_hash: last.padEnd(32, "f"), created: "", closed: null, records: 0, bytes: 0, records_in: 0, records_out: 0, last_arrival: null,
});

describe("lineage", () => {
  it("children stand one generation below the later of their parents", () => {
    const placed = lineage([shard(0, "0", "7"), shard(1, "8", "f"), shard(2, "0", "3", 0), shard(3, "4", "7", 0), shard(4, "4", "f", 3, 1), shard(9, "0", "3", 77)]);
    expect(placed.map((one) => one.generation)).toEqual([0, 0, 1, 1, 2, 0]);
    expect(placed[1]?.from).toBe(0.5);
    expect(placed[4]?.part).toBeCloseTo(0.75);
  });
});

describe("records", () => {
  it.each([
    ['{"a":1,"b":[1,2],"c":{}}', '{\n  "a": 1,\n  "b": [\n    1,\n    2\n  ],\n  "c": {}\n}', true],
    ['{"id":12345678901234567890,"x":1.10}', '{\n  "id": 12345678901234567890,\n  "x": 1.10\n}', true],
    ['{"text":"a, {b}: \\"c\\""}', '{\n  "text": "a, {b}: \\"c\\""\n}', true],
    ["[]", "[]", true],
    ['{ "a" : [ ] , "b" : { } }', '{\n  "a": [],\n  "b": {}\n}', true],
    ['"a \\"quoted\\" text"', '"a \\"quoted\\" text"', true],
    ["a,b,c", "a,b,c", false],
    ['{"broken":', '{"broken":', false],
  ])("%s", (text, expected, isJson) => expect(pretty(text)).toEqual({ text: expected, isJson }));

  const many = Array.from({ length: 12_000 }, (_, id) => ({ id, name: `n${id}`, tags: [], where: { x: id / 7, y: [[]] } }));
  it.each([
    ["of many members", JSON.stringify(many)],
    ["with a long text", JSON.stringify({ text: 'He said "{[". '.repeat(70_000) })],
    ["nested deeply", "[".repeat(500_000) + "]".repeat(500_000)],
    ["of empty lists", `[${"[],".repeat(330_000)}[]]`],
    ["that is no JSON", `{"a": ${"[ ".repeat(500_000)}`],
  ])("one of a megabyte %s takes no time", (_, text) => {
    expect(text.length).toBeGreaterThan(700_000);
    const began = performance.now();
    const shown = pretty(text);
    expect(performance.now() - began).toBeLessThan(1000);
    if (shown.isJson) expect(shown.text.replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
  });
});
