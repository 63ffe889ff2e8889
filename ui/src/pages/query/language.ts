/** Athena's SQL in the editor: keywords, completion from the catalog, errors from the server's own checker. */

import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { SQLDialect, type SQLNamespace } from "@codemirror/lang-sql";
import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import { operation, rows } from "../../shared/api";
import type { Finding } from "../../shared/types";

export const athena = SQLDialect.define({
  keywords:
    "select from where group by having order limit offset with recursive as on using join left right full outer inner cross natural union all " +
    "intersect except distinct case when then else end and or not in is null like escape between exists any some cast try_cast " +
    "create table view database schema if external partitioned clustered sorted into buckets stored location tblproperties row format " +
    "delimited fields terminated by serde with serdeproperties insert values update set delete merge matched alter add drop rename to " +
    "columns partition partitions show tables databases describe explain analyze unload prepare execute deallocate over rows range groups " +
    "preceding following unbounded current window filter within unnest ordinality lateral rollup cube grouping sets asc desc nulls first last " +
    "interval extract at time zone true false replace msck repair",
  types:
    "boolean tinyint smallint int integer bigint real double decimal varchar char string varbinary binary date timestamp array map row struct json",
  builtin: "",
  operatorChars: "*+-%<>!=|",
  doubleQuotedStrings: false,
  backslashEscapes: false,
});

export interface Known {
  namespace: SQLNamespace;
  /** database → table → columns */
  tables: Map<string, Map<string, { name: string; type: string }[]>>;
  functions: string[];
}

/** All that can be completed. */
export async function known(signal?: AbortSignal): Promise<Known> {
  const sql =
    "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns " +
    "WHERE table_schema <> 'information_schema' ORDER BY table_schema, table_name, ordinal_position LIMIT 20000";
  const [columns, names] = await Promise.all([
    rows(sql, { limit: 20_000, signal }),
    operation<string[]>("completion-names", { database: "" }, signal),
  ]);
  const tables: Known["tables"] = new Map();
  for (const [database, table, name, type] of columns.rows) {
    if (!database || !table || !name) continue;
    const within = tables.get(database) ?? new Map<string, { name: string; type: string }[]>();
    tables.set(database, within);
    within.set(table, [...(within.get(table) ?? []), { name, type: type ?? "" }]);
  }
  const namespace: Record<string, Record<string, { label: string; detail: string; type: string }[]>> = {};
  for (const [database, within] of tables) {
    namespace[database] = {};
    for (const [table, list] of within) {
      namespace[database][table] = list.map(({ name, type }) => ({ label: name, detail: type, type: "property" }));
    }
  }
  const taken = new Set([...tables.keys()]);
  const functions = names.filter((name) => !name.includes(".") && !taken.has(name) && /^[a-z_0-9]+$/.test(name));
  return { namespace, tables, functions };
}

/** Functions by their names. */
export function functionSource(functions: string[]) {
  const options = functions.map((label) => ({ label, type: "function", apply: `${label}(`, boost: -1 }));
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[A-Za-z_]\w*$/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    if (word.from > 0 && context.state.sliceDoc(word.from - 1, word.from) === ".") return null;
    return { from: word.from, options, validFor: /^\w*$/ };
  };
}

/** Columns of the tables that the text names, without a table before them. */
export function columnSource(of: Known) {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[A-Za-z_]\w*$/);
    if (!word || (word.from > 0 && context.state.sliceDoc(word.from - 1, word.from) === ".")) return null;
    const text = context.state.doc.toString().toLowerCase();
    const options = [];
    for (const within of of.tables.values()) {
      for (const [table, columns] of within) {
        if (!new RegExp(`\\b${table.replace(/[^\w]/g, "\\$&")}\\b`).test(text)) continue;
        for (const { name, type } of columns) options.push({ label: name, detail: type, type: "property", boost: 2 });
      }
    }
    return options.length > 0 ? { from: word.from, options, validFor: /^\w*$/ } : null;
  };
}

/** What the checker of `glulam check` finds in this text. */
export async function check(text: string, database: string, signal?: AbortSignal): Promise<Finding[]> {
  if (!text.trim()) return [];
  return operation<Finding[]>("check-sql", { texts: [{ name: "<query>", text }], database }, signal);
}

/** Findings as underlined places. Lines and columns count characters, the editor counts UTF-16 units. */
export function underline(findings: Finding[], doc: Text): Diagnostic[] {
  return findings.map(({ diagnosis }) => {
    const message = [diagnosis.what, ...(diagnosis.hints ?? [])].join("\n");
    const { place } = diagnosis;
    if (place?.in !== "source" || place.line > doc.lines) {
      return { from: 0, to: doc.length, severity: "error" as const, message };
    }
    const line = doc.line(place.line);
    const characters = [...line.text];
    const before = characters.slice(0, place.column - 1).join("").length;
    const marked = characters.slice(place.column - 1, place.column - 1 + Math.max(1, place.length)).join("").length;
    const from = Math.min(line.from + before, line.to);
    return { from, to: Math.min(Math.max(from + marked, from + 1), doc.length), severity: "error" as const, message };
  });
}

/** The statements of a text, with their places; semicolons in quotes and comments end none. */
export function statements(text: string): { from: number; to: number; text: string }[] {
  const found: { from: number; to: number; text: string }[] = [];
  let start = 0;
  let at = 0;
  const add = (end: number) => {
    const piece = text.slice(start, end);
    const bare = piece.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, "").trim();
    if (bare) found.push({ from: start, to: end, text: piece.trim() });
  };
  while (at < text.length) {
    const c = text[at];
    if (c === "'" || c === '"' || c === "`") {
      const close = text.indexOf(c, at + 1);
      at = close < 0 ? text.length : close + 1;
    } else if (text.startsWith("--", at)) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      at = end < 0 ? text.length : end + 2;
    } else {
      if (c === ";") {
        add(at);
        start = at + 1;
      }
      at += 1;
    }
  }
  add(text.length);
  return found;
}

/** The statement in which this position stands. */
export function statementAt(text: string, position: number): string {
  const all = statements(text);
  const here = all.find((one) => position >= one.from && position <= one.to + 1);
  return (here ?? all.at(-1))?.text ?? "";
}
