/** What Grafana takes in: dashboards for its import, and files that provision its data sources. */

import { argumentsAt } from "./macros";
import { type AnnotationQuery, type Dashboard, databaseOf, type Panel, sqlOf, type Target, type Variable, variableSql } from "./model";

export type Source = "athena" | "postgres";

const SOURCES = {
  athena: { type: "grafana-athena-datasource", name: "Athena", input: "DS_ATHENA" },
  postgres: { type: "grafana-postgresql-datasource", name: "PostgreSQL", input: "DS_POSTGRESQL" },
} as const;

/** The dashboard for Grafana's import: each target speaks to the data source that is chosen there. */
export function exported(dashboard: Dashboard, kind: Source): Dashboard {
  const source = SOURCES[kind];
  const reference = { type: source.type, uid: `\${${source.input}}` };
  const inOwn = kind === "athena" ? inAthena : inPostgres;
  const target = (one: Target): Target => {
    const { rawSQL, rawSql, format, connectionArgs, table, column, ...rest } = one;
    const sql = inOwn(rawSQL ?? rawSql ?? "", one);
    const isSeries = format === 0 || format === "time_series";
    if (kind === "athena") {
      return { ...rest, datasource: reference, rawSQL: sql, format: isSeries ? 0 : 1, connectionArgs: { region: "__default", catalog: "__default", database: "__default", ...connectionArgs }, ...(table ? { table } : {}), ...(column ? { column } : {}) };
    }
    const database = databaseOf(one);
    return { ...rest, datasource: reference, rawQuery: true, editorMode: "code", rawSql: sql, format: isSeries ? "time_series" : "table", ...(database === "default" ? {} : { dataset: database }) };
  };
  const panel = (one: Panel): Panel => ({
    ...one,
    ...(one.targets ? { datasource: reference, targets: one.targets.map(target) } : {}),
    ...(one.panels ? { panels: one.panels.map(panel) } : {}),
  });
  const variable = (one: Variable): Variable => {
    if (one.type !== "query") return settled(one);
    const sql = inOwn(variableSql(one), {});
    const query = kind === "athena" ? { rawSQL: sql, format: 1, connectionArgs: { region: "__default", catalog: "__default", database: "__default", ...(typeof one.query === "object" ? one.query.connectionArgs : {}) } } : sql;
    return { ...settled(one), datasource: reference, definition: sql, query };
  };
  const annotation = ({ rawQuery, ...one }: AnnotationQuery): AnnotationQuery => {
    const asked = one.target && sqlOf(one.target) ? one.target : rawQuery ? { refId: "Anno", rawSQL: rawQuery, format: 1 } : null;
    return asked ? { ...one, datasource: reference, target: target(asked) } : { ...one, ...(rawQuery === undefined ? {} : { rawQuery }) };
  };
  return {
    ...dashboard,
    id: null,
    panels: dashboard.panels.map(panel),
    templating: { ...dashboard.templating, list: (dashboard.templating?.list ?? []).map(variable) },
    ...(dashboard.links ? { links: dashboard.links.map(whole) } : {}),
    ...(dashboard.annotations ? { annotations: { ...dashboard.annotations, list: (dashboard.annotations.list ?? []).map(annotation) } } : {}),
    __inputs: [{ name: source.input, label: source.name, description: "", type: "datasource", pluginId: source.type, pluginName: source.name }],
    __requires: [{ type: "datasource", id: source.type, name: source.name, version: "1.0.0" }],
  };
}

/** A variable's choice has a text and a value, or is not there. */
function settled({ current, ...one }: Variable): Variable {
  return current?.value !== undefined && current.text !== undefined ? { ...one, current } : one;
}

type DashboardLink = NonNullable<Dashboard["links"]>[number];

/** A link with all that Grafana's schema asks of one. */
function whole(link: DashboardLink): DashboardLink {
  return { ...{ asDropdown: false, icon: "external link", includeVars: false, keepTime: false, tags: [], targetBlank: false, title: "", tooltip: "", type: "link", url: "" }, ...link };
}

/** Replaces calls of macros, from the last to the first; what a rule leaves as it is stays. */
function replaced(sql: string, rule: (name: string, args: string[]) => string | null): string {
  let text = sql;
  const calls = [...sql.matchAll(/\$__([A-Za-z]+)(\(?)/g)].reverse();
  for (const call of calls) {
    const [whole, name = "", bracket] = call;
    const found = bracket ? argumentsAt(text, call.index + whole.length) : { list: [], end: call.index + whole.length };
    if (!found) continue;
    const written = rule(name, found.list);
    if (written !== null) text = text.slice(0, call.index) + written + text.slice(found.end);
  }
  return text;
}

const isFormat = (text: string | undefined) => text?.startsWith("'") ?? false;
const read = (column: string, format: string | undefined) => (format ? `parse_datetime(${column},${format})` : column);
const FROM = "from_iso8601_timestamp($__timeFrom())";
const TO = "from_iso8601_timestamp($__timeTo())";

/**
 * What PostgreSQL's data source spells otherwise or does not know. Its macros end at the first closing bracket, so
 * arguments that have brackets are written out.
 */
export function inPostgres(sql: string, { table, column }: { table?: string; column?: string } = {}): string {
  return replaced(sql, (name, args) => {
    const [first = "", second, third] = args;
    const isPlain = !first.includes("(") && !first.includes(")");
    switch (name) {
      case "timeFilter":
        return isPlain && !second ? null : `${read(first, second)} BETWEEN ${FROM} AND ${TO}`;
      case "timeGroup":
      case "timeGroupAlias": {
        if (isPlain && !isFormat(third)) return null;
        const alias = name === "timeGroupAlias" ? ' AS "time"' : "";
        return `from_unixtime(floor(to_unixtime(${read(first, isFormat(third) ? third : undefined)})/${seconds(second)})*${seconds(second)})${alias}`;
      }
      case "dateFilter":
        return `${first} BETWEEN date(${FROM}) AND date(${TO})`;
      case "parseTime":
        return read(first, second ?? "'yyyy-MM-dd HH:mm:ss'");
      case "rawTimeFrom":
        return `format_datetime(${FROM},${first || "'yyyy-MM-dd HH:mm:ss'"})`;
      case "rawTimeTo":
        return `format_datetime(${TO},${first || "'yyyy-MM-dd HH:mm:ss'"})`;
      case "table":
        return table ?? "";
      case "column":
        return column ?? "";
      default:
        return null;
    }
  });
}

/** An interval in seconds, as a number of SQL; the panel's own by Grafana's variable. */
function seconds(interval: string | undefined): string {
  const text = (interval ?? "").replace(/^['"]|['"]$/g, "");
  const found = /^(\d+)([smhdw])$/.exec(text);
  if (!found) return "($__interval_ms/1e3)";
  return String(Number(found[1]) * ({ s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[found[2] ?? "s"] ?? 1));
}

/** What Athena's data source does not know, of PostgreSQL's. */
export function inAthena(sql: string): string {
  return replaced(sql, (name, args) => {
    const [first = "", second, third] = args;
    switch (name) {
      case "time":
        return `${first} AS "time"`;
      case "timeEpoch":
        return `to_unixtime(${first}) AS "time"`;
      case "timeGroup":
        // What fills gaps is PostgreSQL's; Athena's third argument is a format.
        return third !== undefined && !isFormat(third) ? `$__timeGroup(${first},${second})` : null;
      case "timeGroupAlias":
        return `$__timeGroup(${first},${second}${isFormat(third) ? `,${third}` : ""}) AS "time"`;
      case "unixEpochGroupAlias":
        return `$__unixEpochGroup(${first},${second}) AS "time"`;
      case "unixEpochGroup":
        return third !== undefined ? `$__unixEpochGroup(${first},${second})` : null;
      case "unixEpochFrom":
        return "to_unixtime($__timeFrom())";
      case "unixEpochTo":
        return "to_unixtime($__timeTo())";
      case "unixEpochNanoFrom":
        return "to_unixtime($__timeFrom())*1e9";
      case "unixEpochNanoTo":
        return "to_unixtime($__timeTo())*1e9";
      case "unixEpochNanoFilter":
        return `${first} BETWEEN to_unixtime($__timeFrom())*1e9 AND to_unixtime($__timeTo())*1e9`;
      default:
        return null;
    }
  });
}

/** A file for Grafana's folder `provisioning/datasources`. Secrets come from Grafana's environment. */
export function provisioning(kind: Source, host: string): string {
  const source = SOURCES[kind];
  const settings = kind === "athena" ? [
    "    jsonData:",
    "      authType: keys",
    `      endpoint: http://${host}:4566`,
    "      defaultRegion: us-east-1",
    "      catalog: AwsDataCatalog",
    "      database: default",
    "      workgroup: primary",
    "      # The bucket of the answers must be there. With the access key in the environment, once:",
    `      # aws s3 mb s3://athena-results --endpoint-url http://${host}:4566`,
    "      outputLocation: s3://athena-results/",
    "    secureJsonData:",
    "      accessKey: $GLULAM_ACCESS_KEY_ID",
    "      secretKey: $GLULAM_SECRET_ACCESS_KEY",
  ] : [
    `    url: ${host}:5437`,
    "    user: $GLULAM_ACCESS_KEY_ID",
    "    jsonData:",
    "      database: default",
    "      sslmode: disable",
    "    secureJsonData:",
    "      password: $GLULAM_SECRET_ACCESS_KEY",
  ];
  return ["apiVersion: 1", "datasources:", `  - name: ${source.name}`, `    type: ${source.type}`, `    uid: glulam-${kind}`, "    access: proxy", ...settings, ""].join("\n");
}
