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
    // Each time stands in as many rows as there are series.
    const known = new Map<string, number>();
    const timeOf = (cell: string) => {
      let at = known.get(cell);
      if (at === undefined) {
        at = isEpoch ? epoch(Number(cell)) : millis(cell);
        known.set(cell, at);
      }
      return at;
    };
    const values = rows.rows.map((row) => {
      const cell = row[index] ?? null;
      if (cell === null) return null;
      return type === "time" ? timeOf(cell) : type === "number" ? Number(cell) : cell;
    });
    return { name: column.name, type, config: configOf(column.name, type, panel), values };
  });
  return { fields, length: rows.rows.length, refId, more: rows.more };
}

export interface Line {
  name: string;
  config: FieldDefaults;
  points: [number, number | null][];
}

/** Series over time. Texts tell them apart: one for each combination and number. */
export function lines(frames: Frame[], panel: Panel): Line[] {
  const found = new Map<string, Line>();
  for (const one of frames) {
    const time = one.fields.find((field) => field.type === "time");
    if (!time) continue;
    const numbers = one.fields.filter((field) => field.type === "number");
    const labels = one.fields.filter((field) => field.type === "string");
    // The lines of a label, one for each number.
    const known = new Map<string, Line[]>();
    const linesOf = (label: string) => numbers.map((number): Line => {
      const parts = numbers.length > 1 || !label ? [number.name, label] : [label];
      const name = parts.filter(Boolean).join(" ");
      const key = `${one.refId} ${name}`;
      let line = found.get(key);
      if (!line) {
        const config = { ...number.config, ...configOf(name, "number", panel) };
        line = { name: config.displayName ?? name, config, points: [] };
        found.set(key, line);
      }
      return line;
    });
    for (let row = 0; row < one.length; row += 1) {
      const at = time.values[row];
      if (typeof at !== "number") continue;
      const label = labels.map((field) => String(field.values[row] ?? "NULL")).join(" ");
      let own = known.get(label);
      if (!own) {
        own = linesOf(label);
        known.set(label, own);
      }
      for (let index = 0; index < numbers.length; index += 1) {
        own[index]?.points.push([at, numbers[index]?.values[row] as number | null]);
      }
    }
  }
  const all = [...found.entries()];
  for (const [key, line] of all) {
    line.points.sort((a, b) => a[0] - b[0]);
    const fill = frames.find((one) => key.startsWith(`${one.refId} `))?.fill;
    if (fill) line.points = filledUp(line.points, fill);
  }
  return all.map(([, line]) => line);
}

/** More points than a chart has room for are not made. */
const MOST_FILLED = 20_000;

/** The points with those that are missing: one for each step of the range, as the query's groups lie. */
export function filledUp(points: Line["points"], { step, with: filler, range }: Fill & { range: Range }): Line["points"] {
  const first = Math.floor(range.from / step) * step;
  if (step <= 0 || (range.to - first) / step > MOST_FILLED) return points;
  const known = new Map(points.map(([at, value]) => [Math.floor(at / step) * step, [at, value] as const]));
  const result: Line["points"] = points.filter(([at]) => at < first);
  let before: number | null = result.at(-1)?.[1] ?? null;
  for (let at = first; at <= range.to; at += step) {
    const own = known.get(at);
    if (own) before = own[1];
    result.push(own ? [...own] : [at, filler === "previous" ? before : filler]);
  }
  return [...result, ...points.filter(([at]) => Math.floor(at / step) * step > range.to)];
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
        found.push({ name: line.name, value: reduce(line.points.map(([, value]) => value), how), config: line.config });
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
