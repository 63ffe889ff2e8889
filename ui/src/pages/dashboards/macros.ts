/** Macros of Grafana's SQL data sources (Athena's plug-in, PostgreSQL), written out in Athena's SQL. */

import { millisOf, type Range, sqlTime } from "./time";

export interface Around {
  range: Range;
  interval: string;
  table?: string;
  column?: string;
}

/** What stands for points that a grouped series does not have: nothing, what was there before, a number. */
export interface Fill {
  /** The distance of points, in milliseconds. */
  step: number;
  with: null | "previous" | number;
}

/** The arguments of a call that begins behind its bracket, and where it ends; none when it is not closed. */
export function argumentsAt(text: string, start: number): { list: string[]; end: number } | null {
  const list: string[] = [];
  let depth = 0;
  let from = start;
  for (let at = start; at < text.length; at += 1) {
    const c = text[at];
    if (c === "'" || c === '"') {
      const close = text.indexOf(c, at + 1);
      if (close < 0) return null;
      at = close;
    } else if (c === "(") depth += 1;
    else if (c === ")" && depth > 0) depth -= 1;
    else if (c === ")") {
      const last = text.slice(from, at).trim();
      if (last || list.length > 0) list.push(last);
      return { list, end: at + 1 };
    } else if (c === "," && depth === 0) {
      list.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return null;
}

const bare = (text: string) => text.replace(/^['"]|['"]$/g, "");

/** A text column is read by its format, as the plug-in does; another is taken as it is. */
function parsed(column: string, format?: string): string {
  if (!format) return column;
  return `parse_datetime(${column},'${bare(format)}')`;
}

type Macro = (args: string[], around: Around, fill: (fill: Fill) => void) => string;

/** The distance of points that a macro names, in milliseconds. */
function distance(args: string[], around: Around): number {
  const size = millisOf(bare(args[1] ?? "")) || millisOf(around.interval);
  if (!Number.isFinite(size)) throw new Error(`\`${args[1]}\` is no interval; write one such as '5m'`);
  return size;
}

/** The argument that says what fills gaps. */
function filling(text: string, step: number): Fill {
  if (/^null$/i.test(text)) return { step, with: null };
  if (/^previous$/i.test(text)) return { step, with: "previous" };
  const number = Number(text);
  if (text === "" || !Number.isFinite(number)) throw new Error(`\`${text}\` fills no gaps; write NULL, previous or a number`);
  return { step, with: number };
}

function needs(args: string[], count: number, name: string): void {
  if (args.length < count) throw new Error(`the macro $__${name} needs ${count} ${count === 1 ? "argument" : "arguments"}`);
}

function group(args: string[], around: Around, fill: (fill: Fill) => void): string {
  needs(args, 2, "timeGroup");
  const size = distance(args, around);
  // Behind the interval stands a format (Athena) or what fills gaps (PostgreSQL): NULL, previous, a number.
  const third = args[2];
  const format = third?.startsWith("'") ? third : undefined;
  if (third !== undefined && !format) fill(filling(third, size));
  const seconds = size / 1000;
  return `from_unixtime(floor(to_unixtime(${parsed(args[0] ?? "", format)})/${seconds})*${seconds})`;
}

function epochGroup(args: string[], around: Around, fill: (fill: Fill) => void): string {
  needs(args, 2, "unixEpochGroup");
  const size = distance(args, around);
  if (args[2] !== undefined) fill(filling(args[2], size));
  return `from_unixtime(floor(${args[0]}/${size / 1000})*${size / 1000})`;
}

const NANOS = 1_000_000n;
const timestamp = (millis: number) => `TIMESTAMP '${sqlTime(millis)}'`;
const date = (millis: number) => `date '${sqlTime(millis).slice(0, 10)}'`;

const MACROS: Record<string, Macro> = {
  timeFilter: (args, { range }) => {
    needs(args, 1, "timeFilter");
    return `${parsed(args[0] ?? "", args[1])} BETWEEN ${timestamp(range.from)} AND ${timestamp(range.to)}`;
  },
  dateFilter: (args, { range }) => {
    needs(args, 1, "dateFilter");
    return `${args[0]} BETWEEN ${date(range.from)} AND ${date(range.to)}`;
  },
  unixEpochFilter: (args, { range }) => {
    needs(args, 1, "unixEpochFilter");
    return `${args[0]} BETWEEN ${Math.floor(range.from / 1000)} AND ${Math.floor(range.to / 1000)}`;
  },
  timeGroup: group,
  timeGroupAlias: (args, around, fill) => `${group(args, around, fill)} AS "time"`,
  unixEpochGroup: epochGroup,
  unixEpochGroupAlias: (args, around, fill) => `${epochGroup(args, around, fill)} AS "time"`,
  unixEpochFrom: (_, { range }) => String(Math.floor(range.from / 1000)),
  unixEpochTo: (_, { range }) => String(Math.floor(range.to / 1000)),
  unixEpochNanoFilter: (args, { range }) => {
    needs(args, 1, "unixEpochNanoFilter");
    return `${args[0]} BETWEEN ${BigInt(range.from) * NANOS} AND ${BigInt(range.to) * NANOS}`;
  },
  unixEpochNanoFrom: (_, { range }) => String(BigInt(range.from) * NANOS),
  unixEpochNanoTo: (_, { range }) => String(BigInt(range.to) * NANOS),
  timeEpoch: (args) => {
    needs(args, 1, "timeEpoch");
    return `to_unixtime(${args[0]}) AS "time"`;
  },
  time: (args) => {
    needs(args, 1, "time");
    return `${args[0]} AS "time"`;
  },
  parseTime: (args) => {
    needs(args, 1, "parseTime");
    const [column = "", format] = args;
    if (format === undefined && column.startsWith("'")) return `TIMESTAMP ${column}`;
    return parsed(column, format ?? "'yyyy-MM-dd HH:mm:ss'");
  },
  timeFrom: (_, { range }) => timestamp(range.from),
  timeTo: (_, { range }) => timestamp(range.to),
  rawTimeFrom: (args, { range }) => rawTime(range.from, args[0]),
  rawTimeTo: (args, { range }) => rawTime(range.to, args[0]),
  table: (_, { table }) => table ?? "",
  column: (_, { column }) => column ?? "",
};

/** The time as a text in a format, by default of a timestamp. */
function rawTime(millis: number, format?: string): string {
  return format ? `format_datetime(${timestamp(millis)},'${bare(format)}')` : `'${sqlTime(millis)}'`;
}

/** Writes out every macro of a statement. */
export function expand(sql: string, around: Around): string {
  return filled(sql, around).sql;
}

/** The same, and what fills the gaps between its points, if a macro says so. */
export function filled(sql: string, around: Around): { sql: string; fill: Fill | null } {
  let fill: Fill | null = null;
  const note = (found: Fill) => { fill = found; };
  const { range } = around;
  const plain: Record<string, string> = {
    __interval_ms: String(millisOf(around.interval)),
    __interval: around.interval,
    __from: String(range.from),
    __to: String(range.to),
    __range_s: String(Math.round((range.to - range.from) / 1000)),
  };
  let text = sql
    .replace(/\$\{(__from|__to):date(?::iso)?\}/g, (_, name: string) => new Date(name === "__from" ? range.from : range.to).toISOString())
    .replace(/\$\{(__interval_ms|__interval|__from|__to|__range_s)\}/g, (_, name: string) => plain[name] ?? "")
    .replace(/\$(__interval_ms|__interval|__from|__to|__range_s)\b/g, (_, name: string) => plain[name] ?? "");
  for (;;) {
    // The last one first, so that macros within a macro's brackets are written out before it.
    const calls = [...text.matchAll(/\$__([A-Za-z]+)(\(?)/g)];
    const call = calls.at(-1);
    if (!call) return { sql: text, fill };
    const [whole, name = "", bracket] = call;
    const macro = MACROS[name];
    if (!macro) throw new Error(`there is no macro $__${name}; there are ${Object.keys(MACROS).map((one) => `$__${one}`).join(", ")}`);
    const args = bracket ? argumentsAt(text, call.index + whole.length) : { list: [], end: call.index + whole.length };
    if (!args) throw new Error(`the bracket of $__${name} is not closed`);
    text = text.slice(0, call.index) + macro(args.list, around, note) + text.slice(args.end);
  }
}

