/** Rows as Grafana's panels see them: fields with values, and series over time. */

import { millis } from "../query/chart";
import { isNumber, isTime } from "../../shared/grid";
import type { Rows } from "../../shared/types";
import type { FieldDefaults, Override, Panel } from "./model";
import type { Fill } from "./macros";
import { sqlOf } from "./model";
import type { Range } from "./time";

export interface Field {
  name: string;
  type: "time" | "number" | "string";
  config: FieldDefaults;
  /** Milliseconds, numbers or texts. */
  values: (number | string | null)[];
  /** Of a time: the rows that have one, the earliest first; rows of one time stay in their order. */
  order?: Uint32Array;
}

export interface Frame {
  fields: Field[];
  length: number;
  refId: string;
  /** There are more rows than these. */
  more: boolean;
  /** What stands for points that are missing within the range. */
  fill?: Fill & { range: Range };
}

function configOf(name: string, type: string, panel: Panel): FieldDefaults {
  let config: FieldDefaults = { ...panel.fieldConfig?.defaults };
  for (const override of panel.fieldConfig?.overrides ?? []) {
    if (fits(override, name, type)) config = changed(config, override);
  }
  return config;
}

function fits({ matcher }: Override, name: string, type: string): boolean {
  if (matcher.id === "byName") return matcher.options === name;
  if (matcher.id === "byType") return matcher.options === type;
  if (matcher.id === "byRegexp") {
    const found = /^\/(.*)\/([a-z]*)$/.exec(matcher.options ?? "");
    try {
      return new RegExp(found?.[1] ?? matcher.options ?? "").test(name);
    } catch {
      return false;
    }
  }
  return false;
}

function changed(config: FieldDefaults, override: Override): FieldDefaults {
  const result: Record<string, unknown> = { ...config };
  for (const { id, value } of override.properties) {
    if (id.startsWith("custom.")) result.custom = { ...(result.custom as object | undefined), [id.slice(7)]: value };
    else result[id] = value;
  }
  return result as FieldDefaults;
}

/** A number that is a time: seconds, milliseconds or nanoseconds since 1970, told apart by their size. */
export function epoch(value: number): number {
  const size = Math.abs(value);
  return size < 1e11 ? value * 1000 : size < 1e14 ? value : value / 1e6;
}

export function frame(rows: Rows, panel: Panel, refId: string): Frame {
  const hasTime = rows.columns.some((column) => isTime(column.type));
  const fields = rows.columns.map((column, index): Field => {
    const isEpoch = !hasTime && /^time$/i.test(column.name) && isNumber(column.type);
    const type = isTime(column.type) || isEpoch ? "time" : isNumber(column.type) ? "number" : "string";
    const config = configOf(column.name, type, panel);
    if (type === "time") return { name: column.name, type, config, ...timesOf(rows, index, isEpoch) };
    const values = rows.rows.map((row) => {
      const cell = row[index] ?? null;
      return cell === null || type === "string" ? cell : Number(cell);
    });
    return { name: column.name, type, config, values };
  });
  return { fields, length: rows.rows.length, refId, more: rows.more };
}

const NO_TIME = -1;

/** A column of times, and the rows in their order. Each time stands in as many rows as there are series, and is read once. */
function timesOf(rows: Rows, column: number, isEpoch: boolean): Pick<Field, "values" | "order"> {
  const times: number[] = [];
  const known = new Map<string, number>();
  const places = new Int32Array(rows.rows.length);
  const values = rows.rows.map((row, index) => {
    const cell = row[column] ?? null;
    let place = cell === null ? NO_TIME : known.get(cell);
    if (place === undefined && cell !== null) {
      place = times.push(isEpoch ? epoch(Number(cell)) : millis(cell)) - 1;
      known.set(cell, place);
    }
    places[index] = place ?? NO_TIME;
    return times[place ?? NO_TIME] ?? null;
  });
  return { values, order: byTime(times, places) };
}

/** The rows by their times, each given by its place among the times; those without one are left out. */
export function byTime(times: number[], places: Int32Array): Uint32Array {
  const counts = new Uint32Array(times.length);
  for (const place of places) if (place >= 0) counts[place] = (counts[place] ?? 0) + 1;
  const next = new Uint32Array(times.length);
  let end = 0;
  const sorted = times.map((_, place) => place).filter((place) => Number.isFinite(times[place])).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  for (const place of sorted) {
    next[place] = end;
    end += counts[place] ?? 0;
  }
  const order = new Uint32Array(end);
  places.forEach((place, row) => {
    if (!Number.isFinite(times[place])) return;
    const to = next[place] ?? 0;
    order[to] = row;
    next[place] = to + 1;
  });
  return order;
}

export interface Line {
  name: string;
  config: FieldDefaults;
  /** Times and numbers by turns, in the order of time; a number that is missing is NaN. Charts take it as it is. */
  points: Float64Array;
}

export const countOf = ({ points }: Line): number => points.length / 2;

/** The numbers of a line without their times. */
export function numbersOf({ points }: Line): number[] {
  return Array.from({ length: points.length / 2 }, (_, index) => points[2 * index + 1] ?? Number.NaN);
}

/** A line while its points come: where the next one goes. */
interface Growing {
  name: string;
  config: FieldDefaults;
  points: Float64Array;
  end: number;
  fill: Frame["fill"];
}

function push(line: Growing, at: number, value: number): void {
  if (line.end === line.points.length) {
    const wider = new Float64Array(line.points.length * 4);
    wider.set(line.points);
    line.points = wider;
  }
  line.points[line.end] = at;
  line.points[line.end + 1] = value;
  line.end += 2;
}

/** Names as people count: the second before the tenth. */
const byName = new Intl.Collator("en", { numeric: true });

/** Series over time. Texts tell them apart: one for each combination, by name, and number. Rows of groups come in any order, and a
 *  line keeps its color when they come anew. */
export function lines(frames: Frame[], panel: Panel): Line[] {
  const found = new Map<string, Growing>();
  const isAlone = frames.length === 1;
  for (const one of frames) {
    const time = one.fields.find((field) => field.type === "time");
    if (!time) continue;
    const numbers = one.fields.filter((field) => field.type === "number");
    const labels = one.fields.filter((field) => field.type === "string");
    const [label] = labels;
    const labelOf = labels.length === 1 && label
      ? (row: number) => String(label.values[row] ?? "NULL")
      : (row: number) => labels.map((field) => String(field.values[row] ?? "NULL")).join(" ");
    // The lines of a label, one for each number.
    const known = new Map<string, Growing[]>();
    const linesOf = (label: string) => numbers.map((number): Growing => {
      const parts = numbers.length > 1 || !label ? [number.name, label] : [label];
      const name = parts.filter(Boolean).join(" ");
      const key = `${one.refId} ${name}`;
      let line = found.get(key);
      if (!line) {
        const config = { ...number.config, ...configOf(name, "number", panel) };
        line = { name: config.displayName ?? name, config, points: new Float64Array(FIRST_ROOM), end: 0, fill: one.fill };
        found.set(key, line);
      }
      return line;
    });
    const ownOf = (label: string) => {
      let own = known.get(label);
      if (!own) {
        own = linesOf(label);
        known.set(label, own);
      }
      return own;
    };
    const named = time.values.map((at, row) => (Number.isFinite(at) ? labelOf(row) : null));
    [...new Set(named)].filter((name) => name !== null).sort(byName.compare).forEach(ownOf);
    const owners = named.map((name) => (name === null ? null : ownOf(name)));
    for (const row of time.order ?? []) {
      for (let index = 0; index < numbers.length; index += 1) {
        const line = owners[row]?.[index];
        if (line) push(line, time.values[row] as number, (numbers[index]?.values[row] as number | null) ?? Number.NaN);
      }
    }
  }
  return [...found.values()].map(({ name, config, points, end, fill }) => {
    const own = isAlone ? points.slice(0, end) : sortedUp(points.slice(0, end));
    return { name, config, points: fill ? filledUp(own, fill) : own };
  });
}

/** Points of several frames can meet in one line. */
function sortedUp(points: Float64Array): Float64Array {
  const times = Array.from({ length: points.length / 2 }, (_, index) => points[2 * index] ?? 0);
  const sorted = new Float64Array(points.length);
  byTime(times, Int32Array.from(times.keys())).forEach((from, to) => sorted.set(points.subarray(2 * from, 2 * from + 2), 2 * to));
  return sorted;
}

const FIRST_ROOM = 64;

/** More points than a chart has room for are not made. */
const MOST_FILLED = 20_000;

/** The points with those that are missing: one for each step of the range, as the query's groups lie. */
export function filledUp(points: Float64Array, { step, with: filler, range }: Fill & { range: Range }): Float64Array {
  const first = Math.floor(range.from / step) * step;
  if (step <= 0 || (range.to - first) / step > MOST_FILLED) return points;
  const groupOf = (index: number) => Math.floor((points[index] ?? 0) / step) * step;
  const known = new Map<number, number>();
  const [before, after]: [number[], number[]] = [[], []];
  for (let index = 0; index < points.length; index += 2) {
    const pair = [points[index] ?? 0, points[index + 1] ?? Number.NaN];
    known.set(groupOf(index), index);
    if ((points[index] ?? 0) < first) before.push(...pair);
    if (groupOf(index) > range.to) after.push(...pair);
  }
  let last = before.at(-1) ?? Number.NaN;
  const within: number[] = [];
  for (let at = first; at <= range.to; at += step) {
    const own = known.get(at);
    if (own !== undefined) last = points[own + 1] ?? Number.NaN;
    if (own !== undefined) within.push(points[own] ?? 0, last);
    else within.push(at, filler === "previous" ? last : (filler ?? Number.NaN));
  }
  return Float64Array.from([...before, ...within, ...after]);
}

/** One number of many, by Grafana's name of the calculation. */
export function reduce(values: (number | string | null)[], how: string): number | null {
  const numbers = values.filter((value): value is number => typeof value === "number" && !Number.isNaN(value));
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return how === "count" || how === "sum" ? 0 : null;
  switch (how) {
    case "first":
    case "firstNotNull":
      return first;
    case "min":
      return numbers.reduce((a, b) => Math.min(a, b));
    case "max":
      return numbers.reduce((a, b) => Math.max(a, b));
    case "sum":
      return numbers.reduce((a, b) => a + b);
    case "mean":
      return numbers.reduce((a, b) => a + b) / numbers.length;
    case "count":
      return values.length;
    case "range":
      return numbers.reduce((a, b) => Math.max(a, b)) - numbers.reduce((a, b) => Math.min(a, b));
    case "diff":
      return last - first;
    default:
      return last;
  }
}

export interface Reduced {
  name: string;
  value: number | null;
  config: FieldDefaults;
}

/** The numbers of a stat or gauge: one per number field, or per row, or per series. */
export function reduced(frames: Frame[], panel: Panel): Reduced[] {
  const options = (panel.options?.reduceOptions ?? {}) as { calcs?: string[]; values?: boolean; fields?: string };
  const how = options.calcs?.[0] ?? "lastNotNull";
  const found: Reduced[] = [];
  for (const one of frames) {
    const labels = one.fields.filter((field) => field.type === "string");
    const numbers = one.fields.filter((field) => field.type === "number");
    if (one.fields.some((field) => field.type === "time") && !options.values) {
      for (const line of lines([one], panel)) {
        found.push({ name: line.name, value: reduce(numbersOf(line), how), config: line.config });
      }
    } else if (options.values || (labels.length > 0 && one.length > 1)) {
      for (let row = 0; row < one.length; row += 1) {
        const label = labels.map((field) => String(field.values[row] ?? "")).join(" ");
        for (const number of numbers) {
          const name = [label, numbers.length > 1 || !label ? (number.config.displayName ?? number.name) : ""].filter(Boolean).join(" ");
          found.push({ name, value: number.values[row] as number | null, config: number.config });
        }
      }
    } else {
      for (const number of numbers) {
        found.push({ name: number.config.displayName ?? number.name, value: reduce(number.values, how), config: number.config });
      }
    }
  }
  return found;
}

export function hasQueries(panel: Panel): boolean {
  return (panel.targets ?? []).some((target) => !target.hide && sqlOf(target).trim() !== "");
}
