import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Variable } from "./model";
import { exported, inAthena, inPostgres, provisioning } from "./export";
import { nameFor } from "./model";
import { ALL, fill, fillTitle, filtered, fixedOptions, ordered, settle } from "./variables";

const metric: Variable = { name: "metric", type: "query", query: "SELECT 1" };
const service: Variable = { name: "service", type: "query", multi: true, includeAll: true, query: "SELECT s WHERE m = '$metric'" };
const list = [service, metric];
const options = { service: ["gate", "it's"].map((value) => ({ text: value, value })), metric: [{ text: "cpu", value: "cpu" }] };

describe("variables", () => {
  it.each([
    ["m = '$metric'", { metric: ["cpu"] }, "m = 'cpu'"],
    ["s IN ($service)", { service: ["gate", "it's"] }, "s IN ('gate','it''s')"],
    ["s IN (${service})", { service: [ALL] }, "s IN ('gate','it''s')"],
    ["${service:csv} ${service:pipe} ${service:raw}", { service: ["gate"] }, "gate gate gate"],
    ["[[metric]]$metrics", { metric: ["cpu"] }, "cpu$metrics"],
    ["s IN ($service)", { service: [] }, "s IN (NULL)"],
  ])("%s", (text, chosen, expected) => expect(fill(text, list, { service: [], metric: [], ...chosen }, options)).toBe(expected));

  it("titles show what was chosen", () => {
    expect(fillTitle("$metric of $service", list, { metric: ["cpu"], service: [ALL] }, options)).toBe("cpu of All");
  });

  it("a chain is asked from its beginning", () => {
    expect(ordered(list).map((one) => one.name)).toEqual(["metric", "service"]);
    const round: Variable[] = [{ name: "a", type: "query", query: "$b" }, { name: "b", type: "query", query: "$a" }];
    expect(ordered(round)).toHaveLength(2);
  });

  it("a custom variable has its words", () => {
    expect(fixedOptions({ name: "w", type: "custom", query: "5m, one hour : 1h" })).toEqual([{ text: "5m", value: "5m" }, { text: "one hour", value: "1h" }]);
    expect(filtered([{ text: "a-1", value: "a-1" }, { text: "b", value: "b" }], "/a-(.*)/")).toEqual([{ text: "1", value: "1" }]);
  });

  it("what is chosen stays as long as it is there", () => {
    const found = [{ text: "a", value: "a" }, { text: "b", value: "b" }];
    expect(settle(metric, found, ["b"])).toEqual(["b"]);
    expect(settle(metric, found, ["gone"])).toEqual(["a"]);
    expect(settle({ ...metric, current: { value: "b" } }, found, undefined)).toEqual(["b"]);
    expect(settle(service, found, undefined)).toEqual([ALL]);
    expect(settle(service, found, ["a", "b"])).toEqual(["a", "b"]);
  });
});

describe("exports", () => {
  const dashboard = {
    title: "T", panels: [{ type: "stat", targets: [{ refId: "A", rawSQL: "SELECT $__timeFilter(t, 'yyyy')", format: 0, connectionArgs: { database: "curated" } }] }],
    templating: { list: [metric] },
  };
  it("for PostgreSQL, with its names", () => {
    const made = exported(dashboard, "postgres");
    const target = made.panels[0]?.targets?.[0];
    expect(target).toMatchObject({ rawSql: "SELECT parse_datetime(t,'yyyy') BETWEEN from_iso8601_timestamp($__timeFrom()) AND from_iso8601_timestamp($__timeTo())", format: "time_series", datasource: { type: "grafana-postgresql-datasource", uid: "${DS_POSTGRESQL}" } });
    expect(target).not.toHaveProperty("rawSQL");
    expect(made.__inputs).toHaveLength(1);
  });
  it("for Athena, with the database", () => {
    expect(exported(dashboard, "athena").panels[0]?.targets?.[0]).toMatchObject({ rawSQL: "SELECT $__timeFilter(t, 'yyyy')", format: 0, connectionArgs: { database: "curated", region: "__default" } });
  });
  it.each([
    ["$__timeFilter(t)", "$__timeFilter(t)"],
    ["$__timeGroup(t, $__interval, 0)", "$__timeGroup(t, $__interval, 0)"],
    ["$__timeGroup(t, '5m', 'yyyy')", "from_unixtime(floor(to_unixtime(parse_datetime(t,'yyyy'))/300)*300)"],
    ["$__timeGroup(CAST(t AS timestamp), $__interval)", "from_unixtime(floor(to_unixtime(CAST(t AS timestamp))/($__interval_ms/1e3))*($__interval_ms/1e3))"],
    ["$__dateFilter(d) AND $__parseTime(t, 'yyyy') > x", "d BETWEEN date(from_iso8601_timestamp($__timeFrom())) AND date(from_iso8601_timestamp($__timeTo())) AND parse_datetime(t,'yyyy') > x"],
    ["$__rawTimeFrom('yyyy')", "format_datetime(from_iso8601_timestamp($__timeFrom()),'yyyy')"],
    ["SELECT $__column FROM $__table", "SELECT c FROM w"],
  ])("in PostgreSQL's words: %s", (sql, expected) => expect(inPostgres(sql, { table: "w", column: "c" })).toBe(expected));
  it.each([
    ["$__timeGroupAlias(t, '5m', NULL)", '$__timeGroup(t,\'5m\') AS "time"'],
    ["$__timeGroup(t, '5m', 'yyyy')", "$__timeGroup(t, '5m', 'yyyy')"],
    ["$__timeEpoch(t)", 'to_unixtime(t) AS "time"'],
    ["$__unixEpochNanoFilter(n)", "n BETWEEN to_unixtime($__timeFrom())*1e9 AND to_unixtime($__timeTo())*1e9"],
  ])("in Athena's words: %s", (sql, expected) => expect(inAthena(sql)).toBe(expected));
  it("annotations ask the same source", () => {
    const made = exported({ ...dashboard, annotations: { list: [{ name: "deploys", rawQuery: "SELECT time FROM d" }, { name: "own", builtIn: 1, datasource: { type: "grafana", uid: "-- Grafana --" } }] } }, "postgres");
    expect(made.annotations?.list?.[0]).toMatchObject({ datasource: { uid: "${DS_POSTGRESQL}" }, target: { rawSql: "SELECT time FROM d", rawQuery: true } });
    expect(made.annotations?.list?.[1]).toEqual({ name: "own", builtIn: 1, datasource: { type: "grafana", uid: "-- Grafana --" } });
  });
  it("data sources are provisioned by files that Grafana reads", () => {
    for (const kind of ["athena", "postgres"] as const) {
      const file = parse(provisioning(kind, "lake.example")) as { apiVersion: number; datasources: { type: string; secureJsonData: object }[] };
      expect(file.apiVersion).toBe(1);
      expect(file.datasources[0]?.type).toContain(kind === "athena" ? "athena" : "postgresql");
      expect(JSON.stringify(file.datasources[0]?.secureJsonData)).toContain("$GLULAM_SECRET_ACCESS_KEY");
    }
  });
  it("data sources lead to the doors, and to a bucket that the file says how to make", () => {
    const source = (kind: "athena" | "postgres") => parse(provisioning(kind, "lake.example")).datasources[0];
    expect(source("postgres").url).toBe("lake.example:5437");
    const { endpoint, outputLocation } = source("athena").jsonData;
    expect(endpoint).toBe("http://lake.example:4566");
    expect(provisioning("athena", "lake.example")).toContain(`# aws s3 mb ${outputLocation.replace(/\/$/, "")} --endpoint-url ${endpoint}\n`);
  });
  it("a name comes from the uid or the title", () => {
    expect(nameFor({ title: "My Board!", panels: [] })).toBe("my-board");
    expect(nameFor({ title: "x", uid: "a_b", panels: [] })).toBe("a_b");
  });
});
