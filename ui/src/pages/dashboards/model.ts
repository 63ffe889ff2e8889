/** Grafana's dashboard JSON: the part that is drawn here. What is not named is kept as it is. */

export interface Step {
  color: string;
  value: number | null;
}

export interface DataLink {
  title?: string;
  url: string;
  targetBlank?: boolean;
}

export interface FieldDefaults {
  unit?: string;
  decimals?: number | null;
  min?: number;
  max?: number;
  displayName?: string;
  noValue?: string;
  color?: { mode?: string; fixedColor?: string };
  thresholds?: { mode?: "absolute" | "percentage"; steps?: Step[] };
  custom?: Record<string, unknown>;
  links?: DataLink[];
  mappings?: { type: string; options: Record<string, { text?: string; color?: string }> }[];
}

export interface Override {
  matcher: { id: string; options?: string };
  properties: { id: string; value?: unknown }[];
}

export interface Target {
  refId?: string;
  hide?: boolean;
  /** The Athena plug-in's spelling. */
  rawSQL?: string;
  /** PostgreSQL's spelling. */
  rawSql?: string;
  format?: number | string;
  connectionArgs?: { database?: string; catalog?: string; region?: string };
  table?: string;
  column?: string;
  datasource?: unknown;
  [more: string]: unknown;
}

export interface Panel {
  id?: number;
  type: string;
  title?: string;
  description?: string;
  gridPos?: { x: number; y: number; w: number; h: number };
  datasource?: unknown;
  targets?: Target[];
  fieldConfig?: { defaults?: FieldDefaults; overrides?: Override[] };
  options?: Record<string, unknown>;
  links?: DataLink[];
  collapsed?: boolean;
  panels?: Panel[];
  maxDataPoints?: number | null;
  interval?: string;
  /** The variable for each of whose values it is drawn once. */
  repeat?: string;
  repeatDirection?: "h" | "v";
  maxPerRow?: number;
  [more: string]: unknown;
}

export interface VariableOption {
  text: string;
  value: string;
  selected?: boolean;
}

export interface Variable {
  name: string;
  type: string;
  label?: string | null;
  hide?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  query?: string | { rawSQL?: string; rawSql?: string; query?: string; connectionArgs?: { database?: string } };
  definition?: string;
  regex?: string;
  sort?: number;
  current?: { text?: string | string[]; value?: string | string[] };
  options?: VariableOption[];
  datasource?: unknown;
  [more: string]: unknown;
}

/** What finds annotations: an SQL data source's query, in the new or the old place. */
export interface AnnotationQuery {
  name: string;
  enable?: boolean;
  hide?: boolean;
  iconColor?: string;
  datasource?: unknown;
  target?: Target;
  rawQuery?: string;
  [more: string]: unknown;
}

export interface Dashboard {
  title: string;
  uid?: string | null;
  description?: string;
  tags?: string[];
  time?: { from: string; to: string };
  refresh?: string | false;
  templating?: { list?: Variable[] };
  annotations?: { list?: AnnotationQuery[] };
  panels: Panel[];
  links?: { title?: string; url?: string; type?: string; keepTime?: boolean; includeVars?: boolean }[];
  schemaVersion?: number;
  __inputs?: unknown[];
  [more: string]: unknown;
}

export const sqlOf = (target: Target): string => target.rawSQL ?? target.rawSql ?? "";

/** The database that a target's names are looked up in. */
export const databaseOf = (target: Target): string => {
  const given = target.connectionArgs?.database;
  return given && !given.startsWith("__") ? given : "default";
};

/** Panels in rows: those that a collapsed row holds are shown when it is opened. */
export interface Section {
  row: Panel | null;
  panels: Panel[];
}

export function sections(dashboard: Dashboard): Section[] {
  const found: Section[] = [{ row: null, panels: [] }];
  const byPlace = [...dashboard.panels].sort(
    (a, b) => (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0) || (a.gridPos?.x ?? 0) - (b.gridPos?.x ?? 0),
  );
  for (const panel of byPlace) {
    if (panel.type === "row") found.push({ row: panel, panels: panel.panels ? [...panel.panels] : [] });
    else found.at(-1)?.panels.push(panel);
  }
  return found.filter((section) => section.row || section.panels.length > 0);
}

export function variableSql(variable: Variable): string {
  const { query } = variable;
  if (typeof query === "string") return query;
  return query?.rawSQL ?? query?.rawSql ?? query?.query ?? "";
}

/** A name for a new dashboard, from its uid or title. */
export function nameFor(dashboard: Dashboard): string {
  const from = dashboard.uid || dashboard.title;
  return from.toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 100) || "dashboard";
}
