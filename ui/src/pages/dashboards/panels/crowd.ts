/** Many lines in one drawing: a series of the chart's own for each would take longer to set up than all of them to draw. */

import { graphic } from "echarts/core";
import { type Line, countOf } from "../frame";

/** From so many lines on they are drawn as one. */
export const CROWD = 20;

export interface Stroke {
  points: Float64Array;
  colour: string;
  width: number;
  /** Whether the line goes on over numbers that are missing. */
  spans: boolean;
}

/** Where a value stands on an axis: `at + (value - from) * scale`. */
interface Axis {
  from: number;
  at: number;
  scale: number;
}

/** The part of a canvas that lines need. */
export type Pen = Pick<CanvasRenderingContext2D, "save" | "restore" | "beginPath" | "rect" | "clip" | "moveTo" | "lineTo" | "stroke" | "lineJoin" | "lineWidth" | "strokeStyle">;

/** Where lines may be drawn. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Lets nothing be drawn outside: whole pixels take half as long as parts of them. */
function clip(pen: Pen, { x, y, width, height }: Area): void {
  const [left, top] = [Math.floor(x) - 1, Math.floor(y) - 1];
  pen.beginPath();
  pen.rect(left, top, Math.ceil(x + width) + 1 - left, Math.ceil(y + height) + 1 - top);
  pen.clip();
}

export function draw(pen: Pen, strokes: Stroke[], x: Axis, y: Axis, area: Area): void {
  pen.save();
  clip(pen, area);
  pen.lineJoin = "bevel";
  for (const { points, colour, width, spans } of strokes) {
    pen.beginPath();
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    let isDown = false;
    for (let index = 0; index < points.length; index += 2) {
      const value = points[index + 1] ?? Number.NaN;
      if (Number.isNaN(value)) {
        isDown &&= spans;
        continue;
      }
      const [left, top] = [x.at + ((points[index] ?? 0) - x.from) * x.scale, y.at + (value - y.from) * y.scale];
      if (isDown) pen.lineTo(left, top);
      else pen.moveTo(left, top);
      isDown = true;
    }
    pen.stroke();
  }
  pen.restore();
  pen.beginPath();
}

const SHAPE = "crowd";

interface CrowdShape {
  strokes: Stroke[];
  x: Axis;
  y: Axis;
  area: Area;
}

const NOTHING: CrowdShape = { strokes: [], x: { from: 0, at: 0, scale: 1 }, y: { from: 0, at: 0, scale: 1 }, area: { x: 0, y: 0, width: 0, height: 0 } };

/**
 * The lines as a shape of the chart. A silent one keeps no path, but is built whenever it is painted, and strokes its lines
 * itself, each in its colour. Its size is known without a path, which would be kept and painted from then on.
 */
export const Crowd = graphic.extendShape({
  type: SHAPE,
  shape: NOTHING,
  buildPath(path, { strokes, x, y, area }: CrowdShape) {
    const pen = "getContext" in path ? path.getContext() : path;
    if (pen) draw(pen as Pen, strokes, x, y, area);
  },
  getBoundingRect() {
    const { x, y, width, height } = (this.shape as CrowdShape).area;
    return new graphic.BoundingRect(x, y, width, height);
  },
});
graphic.registerShape(SHAPE, Crowd);

/** The least and the greatest of the times and of the numbers; none if there is no number. */
export function extentOf(strokes: Stroke[]): [number, number, number, number] | null {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { points } of strokes) {
    for (let index = 0; index < points.length; index += 2) {
      const [at, value] = [points[index] ?? 0, points[index + 1] ?? Number.NaN];
      if (!Number.isFinite(value)) continue;
      if (at < left) left = at;
      if (at > right) right = at;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [left, right, low, high] : null;
}

/** Each time at which any of the lines has a point, with no number: what the pointer stops at. */
export function stopsOf(strokes: Stroke[]): Float64Array {
  const times = new Set<number>();
  for (const { points } of strokes) for (let index = 0; index < points.length; index += 2) times.add(points[index] ?? 0);
  const sorted = Float64Array.from(times).sort();
  const stops = new Float64Array(sorted.length * 2).fill(Number.NaN);
  sorted.forEach((at, index) => { stops[2 * index] = at; });
  return stops;
}

/** The number of a line at that time exactly; `undefined` where it has no point. */
export function valueAt({ points }: Pick<Line, "points">, at: number): number | undefined {
  let [low, high] = [0, points.length / 2 - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const time = points[2 * middle] ?? 0;
    if (time === at) return points[2 * middle + 1];
    if (time < at) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** Whether a line is one from point to point and nothing else. */
export function isPlain(line: Line): boolean {
  const style = (line.config.custom ?? {}) as Record<string, unknown>;
  const stacking = style.stacking as { mode?: string } | undefined;
  return (style.drawStyle ?? "line") === "line" && (style.lineInterpolation ?? "linear") === "linear" && Number(style.fillOpacity ?? 0) === 0
    && (stacking?.mode ?? "none") === "none" && (style.lineStyle as { fill?: string } | undefined)?.fill !== "dash"
    && (style.showPoints === "never" || (style.showPoints !== "always" && countOf(line) >= 30));
}

/** What a chart calls to have an item drawn. */
interface Api {
  coord: (point: [number, number]) => [number, number];
}

/** The series that draw the lines, and that the pointer finds times in; what `more` says is drawn with it. */
export function crowd(strokes: Stroke[], more: object): object[] {
  const extent = extentOf(strokes);
  const renderItem = ({ coordSys }: { coordSys: Area }, api: Api) => {
    const area: Area = { x: coordSys.x, y: coordSys.y, width: coordSys.width, height: coordSys.height };
    const [left, right, low, high] = extent ?? [0, 1, 0, 1];
    const [end, top] = [right > left ? right : left + 1, high > low ? high : low + 1];
    const [a, b] = [api.coord([left, low]), api.coord([end, top])];
    const x: Axis = { from: left, at: a[0], scale: (b[0] - a[0]) / (end - left) };
    const y: Axis = { from: low, at: a[1], scale: (b[1] - a[1]) / (top - low) };
    return { type: SHAPE, silent: true, shape: { strokes, x, y, area }, style: { fill: "none", stroke: "none" } };
  };
  return [
    { type: "line", name: "", dimensions: ["time", "value"], data: stopsOf(strokes), showSymbol: false, silent: true, ...more },
    {
      type: "custom", name: "", silent: true, z: 3, renderItem, tooltip: { show: false },
      dimensions: ["left", "right", "low", "high"], encode: { x: ["left", "right"], y: ["low", "high"] }, data: extent ? [extent] : [],
    },
  ];
}
