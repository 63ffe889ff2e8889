/** Annotations: moments and spans that a query finds, drawn over charts. */

import { useQueries } from "@tanstack/react-query";
import { rows } from "../../shared/api";
import { isNumber, isTime } from "../../shared/grid";
import type { Rows } from "../../shared/types";
import { millis } from "../query/chart";
import { epoch } from "./frame";
import { expand } from "./macros";
import { type AnnotationQuery, type Dashboard, databaseOf, sqlOf } from "./model";
import { interval, type Range } from "./time";
import { colour } from "./units";
import type { VariableState } from "./variable-bar";
import { fill } from "./variables";

export interface Annotation {
  name: string;
  at: number;
  /** The end of a span. */
  until: number | null;
  text: string;
  tags: string[];
  colour: string;
}

/** More marks than these tell nothing. */
const MOST = 500;

/** The annotations that a query of the dashboard asks for; Grafana's own, which are kept in its database, ask none. */
export function queries(dashboard: Dashboard): AnnotationQuery[] {
  return (dashboard.annotations?.list ?? []).filter((one) => annotationSql(one) !== "");
}

export function annotationSql(one: AnnotationQuery): string {
  return (one.target ? sqlOf(one.target) : "") || one.rawQuery || "";
}

/** Rows as annotations: the columns time, timeend, text or title, tags, in any case. */
export function read(found: Rows, query: AnnotationQuery): Annotation[] {
  const at = (...names: string[]) => found.columns.findIndex((column) => names.includes(column.name.toLowerCase()));
  const own = at("time");
  const start = own >= 0 ? own : found.columns.findIndex((column) => isTime(column.type));
  const [end, text, title, tags] = [at("timeend", "time_end"), at("text"), at("title"), at("tags")];
  const time = (index: number, cell: string | null | undefined): number => {
    if (cell === null || cell === undefined) return Number.NaN;
    return isNumber(found.columns[index]?.type ?? "") ? epoch(Number(cell)) : millis(cell);
  };
  return found.rows.slice(0, MOST).flatMap((row) => {
    const from = start >= 0 ? time(start, row[start]) : Number.NaN;
    if (!Number.isFinite(from)) return [];
    const until = end >= 0 ? time(end, row[end]) : Number.NaN;
    const words = [row[title], row[text]].filter(Boolean).join(": ");
    return [{
      name: query.name, at: from, until: Number.isFinite(until) && until > from ? until : null, text: words || query.name,
      tags: (row[tags] ?? "").split(",").map((tag) => tag.trim()).filter(Boolean), colour: colour(query.iconColor) ?? "#3b6fb5",
    }];
  });
}

export function useAnnotations(dashboard: Dashboard, range: Range | null, variables: VariableState, off: string[], tick: number): { all: Annotation[]; error: unknown } {
  const { list, chosen, options, ready } = variables;
  const asked = queries(dashboard).filter((one) => !off.includes(one.name));
  return useQueries({
    queries: asked.map((query) => {
      const raw = fill(annotationSql(query), list, chosen, options);
      return {
        queryKey: ["annotations", query.name, raw, range?.from, range?.to, tick],
        enabled: ready && range !== null,
        gcTime: 0,
        // Those of the last time are shown until the new ones are here.
        placeholderData: (before: Annotation[] | undefined) => before,
        queryFn: async ({ signal }: { signal: AbortSignal }) => {
          const shown = range ?? { from: 0, to: 1 };
          const sql = expand(raw, { range: shown, interval: interval(shown, 400) });
          return read(await rows(sql, { database: query.target ? databaseOf(query.target) : "default", limit: MOST, signal }), query);
        },
      };
    }),
    combine: (found) => ({ all: found.flatMap((one) => one.data ?? []), error: found.find((one) => one.error)?.error ?? null }),
  });
}
