/** A panel: its queries with macros and variables written out, asked for together, drawn by its kind. */

import { useQuery } from "@tanstack/react-query";
import { AlertTriangle, Loader2 } from "lucide-react";
import { type ComponentType, memo, useCallback, useMemo, useRef } from "react";
import { rowsAsCame } from "../../shared/api";
import { amount } from "../../shared/format";
import { DiagnosisBox, Empty } from "../../shared/ui";
import { diagnosisFrom } from "../../shared/api";
import { type Frame, frame, hasQueries } from "./frame";
import { filled } from "./macros";
import { databaseOf, type Panel, sqlOf } from "./model";
import { PANELS, type PanelProps } from "./panels";
import { interval, type Range } from "./time";
import type { VariableState } from "./variable-bar";
import type { Annotation } from "./annotations";
import { type Grips, MoveGrip, SizeGrip } from "./grips";
import { type Chosen, fill, fillTitle } from "./variables";

/** What a statement of a panel answered last, and what was made of it. */
interface Shown {
  sql: string;
  text: string;
  config: Panel["fieldConfig"];
  found: Frame;
}

/** Drawn anew only when something is new: a panel that merely waits is not. */
const Drawing = memo(function Drawing({ kind: Kind, ...props }: PanelProps & { kind: ComponentType<PanelProps> }) {
  return <Kind {...props} />;
});

const NONE: Frame[] = [];
const POINTS = 400;
const LIMIT = 50_000;

/** An address of Grafana's (`/d/UID/…?var-a=b`) as one of the console's. */
export function localUrl(url: string): string {
  const found = /^\/?d\/([^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url);
  return found ? `/dashboards/${found[1]}${found[2] ?? ""}` : url;
}

/** Puts a row's values into a data link: `${__data.fields.name}`, `${__value.raw}`, and the time range. */
export function linkUrl(url: string, from: Frame, row: number, value: string | number | null, range: Range): string {
  const field = (name: string) => from.fields.find((one) => one.name.toLowerCase() === name.toLowerCase())?.values[row] ?? "";
  return localUrl(url
    .replace(/\$\{__data\.fields\.(\w+)\}|\$\{__data\.fields\[["']([^"']+)["']\]\}/g, (_, a?: string, b?: string) => encodeURIComponent(String(field(a ?? b ?? ""))))
    .replace(/\$\{__value\.(raw|text)\}/g, encodeURIComponent(String(value ?? "")))
    .replace(/\$\{__url_time_range\}|\$__url_time_range/g, `from=${range.from}&to=${range.to}`));
}

export function PanelCard({ panel, top, range, variables, own, annotations, tick, grips }: {
  panel: Panel;
  top: number;
  range: Range;
  variables: VariableState;
  /** The values that this copy of a repeated panel has of its own. */
  own: Chosen;
  annotations: Annotation[];
  tick: number;
  /** While the dashboard is edited: how the panel is moved and sized. */
  grips?: Grips;
}) {
  const { list, options } = variables;
  const ownText = JSON.stringify(own);
  const chosen = useMemo(() => ({ ...variables.chosen, ...(JSON.parse(ownText) as Chosen) }), [variables.chosen, ownText]);
  const place = panel.gridPos ?? { x: 0, y: 0, w: 12, h: 8 };
  const step = interval(range, panel.maxDataPoints ?? POINTS, panel.interval);
  const statements = (panel.targets ?? []).filter((target) => !target.hide && sqlOf(target).trim()).map((target) => ({
    refId: target.refId ?? "A", database: databaseOf(target), raw: fill(sqlOf(target), list, chosen, options), table: target.table, column: target.column,
  }));
  // A refresh that brings nothing new gives the frames that are drawn already, so that nothing is drawn again.
  const shown = useRef<{ all: Shown[]; frames: Frame[] }>({ all: [], frames: [] });
  const data = useQuery<Frame[]>({
    // Frames carry units and links of the panel; each refresh has a key of its own and is not kept.
    queryKey: ["panel", panel.fieldConfig, statements, range.from, range.to, step, tick],
    gcTime: 0,
    // What is new is told by its text already.
    structuralSharing: false,
    enabled: hasQueries(panel),
    placeholderData: (before) => before,
    queryFn: async ({ signal }) => {
      const all = await Promise.all(statements.map(async ({ raw, database, refId, table, column }, index): Promise<Shown> => {
        const { sql, fill } = filled(raw, { range, interval: step, table, column });
        const { text, value } = await rowsAsCame(sql, { database, limit: LIMIT, signal });
        const last = shown.current.all[index];
        const isSameTime = !fill || (last?.found.fill?.range.from === range.from && last.found.fill.range.to === range.to);
        if (last && isSameTime && last.sql === sql && last.text === text && last.config === panel.fieldConfig && last.found.refId === refId) return last;
        const found = frame(value(), panel, refId);
        return { sql, text, config: panel.fieldConfig, found: fill ? { ...found, fill: { ...fill, range } } : found };
      }));
      const { all: before } = shown.current;
      if (all.length !== before.length || all.some((one, index) => one !== before[index])) shown.current = { all, frames: all.map(({ found }) => found) };
      return shown.current.frames;
    },
  });
  const Kind = PANELS[panel.type];
  const link = useCallback((url: string, from: Frame, row: number, value: string | number | null) => {
    const filled = fill(url, list, chosen, options);
    return linkUrl(filled, from, row, value, range);
  }, [list, chosen, options, range]);
  const frames = data.data ?? (hasQueries(panel) ? null : NONE);
  const title = fillTitle(panel.title ?? "", list, chosen, options);
  const titled = useMemo(() => ({ ...panel, title }), [panel, title]);
  const scrolls = data.isError || panel.type === "table" || panel.type === "text" || panel.type === "stat";
  const isCut = data.data?.some((one) => one.more) ?? false;
  const isEmpty = data.data && data.data.every((one) => one.length === 0) && panel.type !== "text";
  return (
    <section className={grips?.isPicked ? "panel panel-picked" : "panel"} aria-label={title || panel.type} aria-busy={data.isFetching} data-panel={panel.type}
      style={{ gridColumn: `${place.x + 1} / span ${place.w}`, gridRow: `${place.y - top + 1} / span ${place.h}` }}>
      {(title || data.isFetching || isCut || grips) && (
        <header className="panel-head" title={panel.description}>
          {grips && <MoveGrip grips={grips} title={title || panel.type} />}
          <h2>{title}</h2>
          {isCut && <span className="tag" title={`The query has more rows than ${amount(LIMIT)}, or than fit into an answer; the first ${amount((data.data ?? []).reduce((sum, one) => sum + one.length, 0))} are shown`}>first rows only</span>}
          {data.isFetching && <Loader2 className="spin muted" size={13} aria-label="Loading" />}
          {data.isError && data.data && <AlertTriangle size={14} aria-label="The last refresh failed" />}
        </header>
      )}
      <div className={scrolls ? "panel-body panel-scrolls" : "panel-body"} tabIndex={scrolls ? 0 : undefined}>
        {!Kind && <Empty title={`Panels of the kind ${panel.type} are not drawn here`}>Known are {Object.keys(PANELS).join(", ")}.</Empty>}
        {Kind && data.isError && <DiagnosisBox diagnosis={diagnosisFrom(data.error)} />}
        {Kind && isEmpty && <Empty title="No data in this time range" />}
        {Kind && !isEmpty && frames && <Drawing kind={Kind} panel={titled} frames={frames} range={range} annotations={annotations} link={link} />}
      </div>
      {grips && <SizeGrip grips={grips} title={title || panel.type} />}
    </section>
  );
}
