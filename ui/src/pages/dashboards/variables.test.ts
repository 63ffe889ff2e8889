import { describe, expect, it } from "vitest";
import type { Variable } from "./model";
import { exported, nameFor } from "./model";
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
    expect(target).toMatchObject({ rawSql: "SELECT $__timeFilter(t)", format: "time_series", datasource: { type: "grafana-postgresql-datasource", uid: "${DS_POSTGRESQL}" } });
    expect(target).not.toHaveProperty("rawSQL");
    expect(made.__inputs).toHaveLength(1);
  });
  it("for Athena, with the database", () => {
    expect(exported(dashboard, "athena").panels[0]?.targets?.[0]).toMatchObject({ rawSQL: "SELECT $__timeFilter(t, 'yyyy')", format: 0, connectionArgs: { database: "curated", region: "__default" } });
  });
  it("a name comes from the uid or the title", () => {
    expect(nameFor({ title: "My Board!", panels: [] })).toBe("my-board");
    expect(nameFor({ title: "x", uid: "a_b", panels: [] })).toBe("a_b");
  });
});
