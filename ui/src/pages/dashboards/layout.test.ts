import { describe, expect, it } from "vitest";
import { fitting, moved, placeOf } from "./layout";
import type { Dashboard, Panel } from "./model";
import { drawn } from "./repeat";

const panel = (id: number, x: number, y: number, w: number, h: number, more: Partial<Panel> = {}): Panel => ({ id, type: "stat", title: `p${id}`, gridPos: { x, y, w, h }, ...more });
const places = (panels: Panel[]) => panels.map((one) => { const { x, y, w, h } = placeOf(one); return [x, y, w, h]; });

describe("moving and sizing", () => {
  const four = [panel(1, 0, 0, 12, 4), panel(2, 12, 0, 12, 4), panel(3, 0, 4, 12, 4), panel(4, 12, 4, 12, 4)];
  it.each([
    ["others make room", 2, { x: 0, y: 0, w: 12, h: 4 }, [[0, 4, 12, 4], [12, 0, 12, 4], [0, 0, 12, 4], [12, 4, 12, 4]]],
    ["a wider one pushes what it touches", 0, { x: 0, y: 0, w: 18, h: 4 }, [[0, 0, 18, 4], [12, 4, 12, 4], [0, 4, 12, 4], [12, 8, 12, 4]]],
    ["a higher one pushes what is below", 0, { x: 0, y: 0, w: 12, h: 6 }, [[0, 0, 12, 6], [12, 0, 12, 4], [0, 6, 12, 4], [12, 4, 12, 4]]],
    ["one that goes down lets the others up", 0, { x: 0, y: 4, w: 12, h: 4 }, [[0, 4, 12, 4], [12, 0, 12, 4], [0, 0, 12, 4], [12, 4, 12, 4]]],
    ["nothing hangs in the air", 3, { x: 12, y: 40, w: 12, h: 4 }, [[0, 0, 12, 4], [12, 0, 12, 4], [0, 4, 12, 4], [12, 4, 12, 4]]],
    ["nothing leaves the columns", 1, { x: 30, y: -3, w: 8, h: 1 }, [[0, 0, 12, 4], [16, 0, 8, 2], [0, 4, 12, 4], [12, 2, 12, 4]]],
  ])("%s", (_, index, to, expected) => expect(places(moved(four, index, to))).toEqual(expected));
  it("no two panels ever overlap", () => {
    let all = [...four, panel(5, 0, 8, 24, 1, { type: "row" }), panel(6, 3, 9, 7, 5)];
    let seed = 7;
    const next = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
    for (let step = 0; step < 200; step += 1) {
      all = moved(all, next(all.length), { x: next(26), y: next(20), w: next(30), h: next(9) });
      for (const [at, one] of all.entries()) {
        for (const other of all.slice(at + 1)) {
          const [a, b] = [placeOf(one), placeOf(other)];
          expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h, `${JSON.stringify([a, b])}`).toBe(false);
        }
      }
    }
  });
  it("places are whole and within the columns", () => expect(fitting({ x: 23.4, y: -1, w: 5.6, h: 0 })).toEqual({ x: 18, y: 0, w: 6, h: 2 }));
});

describe("repeats", () => {
  const values = (name: string) => ({ service: ["a", "b", "c", "d", "e"], zone: ["x", "y"] })[name] ?? [];
  const of = (panels: Panel[]) => drawn({ title: "T", panels } as Dashboard, values);
  it("copies stand side by side, and what is below moves down", () => {
    const [section] = of([panel(1, 0, 0, 24, 3, { repeat: "service", maxPerRow: 3 }), panel(2, 0, 3, 12, 4)]);
    expect(section?.panels.map((one) => [one.key, Object.values(one.panel.gridPos ?? {}).join()])).toEqual([
      ["1-a", "0,0,8,3"], ["1-b", "8,0,8,3"], ["1-c", "16,0,8,3"], ["1-d", "0,3,8,3"], ["1-e", "8,3,8,3"], ["2", "0,6,12,4"],
    ]);
    expect(section?.panels[3]?.chosen).toEqual({ service: ["d"] });
  });
  it("or below each other", () => {
    const [section] = of([panel(1, 0, 0, 6, 3, { repeat: "zone", repeatDirection: "v" }), panel(2, 6, 0, 6, 3), panel(3, 0, 3, 6, 3)]);
    expect(section?.panels.map((one) => one.panel.gridPos?.y)).toEqual([0, 3, 0, 6]);
  });
  it("a row is there once for each value, and its panels know it", () => {
    const all = of([panel(1, 0, 0, 24, 1, { type: "row", title: "Zone $zone", repeat: "zone" }), panel(2, 0, 1, 12, 4), panel(3, 12, 1, 12, 4, { repeat: "service", repeatDirection: "v" })]);
    expect(all.map((section) => [section.key, section.panels.length])).toEqual([["1-x", 6], ["1-y", 6]]);
    expect(all[1]?.panels.at(-1)?.chosen).toEqual({ zone: ["y"], service: ["e"] });
  });
  it("without values the panel stays as it is", () => {
    expect(of([panel(1, 0, 0, 24, 3, { repeat: "nothing" })])[0]?.panels.map((one) => one.key)).toEqual(["1"]);
  });
});
