import { describe, expect, it } from "vitest";
import type { FieldDefaults } from "../model";
import { Crowd, draw, extentOf, isPlain, type Pen, type Stroke, stopsOf, valueAt } from "./crowd";

const stroke = (more: Partial<Stroke>, ...points: number[]): Stroke => ({ points: Float64Array.from(points), colour: "red", width: 1, spans: false, ...more });
const gap = Number.NaN;

/** A pen that writes down what it draws. */
function recorder(): { pen: Pen; told: string[] } {
  const told: string[] = [];
  const pen = {
    save: () => told.push("save"), restore: () => told.push("restore"), beginPath: () => undefined, rect: (...at: number[]) => told.push(`rect ${at.join(" ")}`), clip: () => told.push("clip"), stroke: () => told.push(`stroke ${String(pen.strokeStyle)} ${pen.lineWidth}`),
    moveTo: (x: number, y: number) => told.push(`M${x},${y}`), lineTo: (x: number, y: number) => told.push(`L${x},${y}`),
    lineJoin: "miter" as const, lineWidth: 9, strokeStyle: "",
  };
  return { pen: pen as unknown as Pen, told };
}

describe("a crowd of lines", () => {
  const [x, y] = [{ from: 10, at: 0, scale: 2 }, { from: 0, at: 100, scale: -1 }];
  it("is drawn each in its colour, with gaps where numbers are missing", () => {
    const { pen, told } = recorder();
    draw(pen, [stroke({}, 10, 1, 11, gap, 12, 3, 13, 4), stroke({ colour: "blue", width: 2, spans: true }, 10, gap, 11, 1, 12, gap, 13, 5)], x, y, { x: 2.5, y: 3.5, width: 10, height: 20.2 });
    expect(told).toEqual(["save", "rect 1 2 13 23", "clip", "M0,99", "M4,97", "L6,96", "stroke red 1", "M2,99", "L6,95", "stroke blue 2", "restore"]);
  });
  it("keeps no path that would be painted instead", () => {
    const shape = new Crowd({ silent: true, shape: { strokes: [stroke({}, 1, 2)], x, y, area: { x: 1, y: 2, width: 3, height: 4 } } as never });
    expect(shape.getBoundingRect()).toMatchObject({ x: 1, y: 2, width: 3, height: 4 });
    shape.getPaintRect();
    expect(shape.path ?? null).toBeNull();
  });
  it("knows how far it goes and where its points are", () => {
    const strokes = [stroke({}, 1, 5, 9, gap), stroke({}, 3, -2, 4, 7)];
    expect(extentOf(strokes)).toEqual([1, 4, -2, 7]);
    expect(extentOf([stroke({}, 1, gap)])).toBeNull();
    expect([...stopsOf(strokes)]).toEqual([1, gap, 3, gap, 4, gap, 9, gap]);
  });
  it("finds the number at a time", () => {
    const one = stroke({}, 1, 5, 3, 6, 9, gap);
    expect([1, 3, 9, 2, 0, 10].map((at) => valueAt(one, at))).toEqual([5, 6, gap, undefined, undefined, undefined]);
  });
  it("takes lines only that are nothing but lines", () => {
    const line = (custom: FieldDefaults["custom"], points = 40) => isPlain({ name: "", config: { custom }, points: new Float64Array(2 * points) });
    expect([line(undefined), line({ drawStyle: "line", lineInterpolation: "linear", fillOpacity: 0, stacking: { mode: "none" }, lineWidth: 2, spanNulls: true })]).toEqual([true, true]);
    expect([{ drawStyle: "bars" }, { lineInterpolation: "smooth" }, { fillOpacity: 10 }, { stacking: { mode: "normal" } }, { lineStyle: { fill: "dash" } }, { showPoints: "always" }].map((custom) => line(custom))).not.toContain(true);
    expect([line(undefined, 10), line({ showPoints: "never" }, 10)]).toEqual([false, true]);
  });
});
