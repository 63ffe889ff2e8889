/** What is exported, checked against the types that Grafana publishes: each file as TypeScript, by its compiler. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { exported, type Source } from "./export";
import type { Dashboard } from "./model";

const ui = resolve(import.meta.dirname, "../../..");
const EXAMPLES = ["service-metrics", "service-traffic"];

/** Grafana's enumerations are texts and numbers in JSON. */
const TYPES = `import type { AnnotationQuery, Dashboard, VariableModel } from "@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen";
type Json<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
// The schema says nothing of what a file for import has besides, nor of the text of a variable's query, and knows but the
// annotations of Grafana's own database.
type Import = Json<Omit<Dashboard, "annotations" | "templating">> & { annotations?: { list?: (Json<Omit<AnnotationQuery, "target">> & { target?: unknown })[] } } & { __inputs?: unknown[]; __requires?: unknown[]; templating?: { list?: (Json<VariableModel> & { definition?: string })[] } };
`;

const made: Dashboard = {
  title: "Made here", uid: "made-here", schemaVersion: 39, time: { from: "now-24h", to: "now" },
  annotations: { list: [{ name: "deploys", enable: true, iconColor: "red", datasource: null, target: { refId: "Anno", rawSQL: "SELECT time, text FROM deploys", format: 1 } }] },
  templating: { list: [{ name: "service", type: "query", multi: true, includeAll: true, query: "SELECT DISTINCT service FROM t" }] },
  panels: [
    { id: 1, type: "row", title: "$service", repeat: "service", gridPos: { x: 0, y: 0, w: 24, h: 1 }, collapsed: false, panels: [] },
    { id: 2, type: "timeseries", title: "T", repeat: "service", repeatDirection: "h", maxPerRow: 3, gridPos: { x: 0, y: 1, w: 12, h: 8 }, options: {}, fieldConfig: { defaults: { unit: "ms", thresholds: { mode: "absolute", steps: [{ color: "green", value: null }, { color: "red", value: 90 }] } }, overrides: [] }, targets: [{ refId: "A", rawSQL: "SELECT $__timeGroup(t, '5m', 0), v FROM w", format: 0, connectionArgs: { database: "d" } }] },
  ],
};

function mistakes(dashboard: Dashboard, kind: Source): string {
  const folder = mkdtempSync(join(ui, "node_modules/.exported-"));
  try {
    const file = join(folder, "board.ts");
    writeFileSync(file, `${TYPES}export const board: Import = ${JSON.stringify(exported(dashboard, kind))};\n`);
    execFileSync(join(ui, "node_modules/.bin/tsc"), ["--ignoreConfig", "--noEmit", "--strict", "--skipLibCheck", "--types", "", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", file], { cwd: ui, encoding: "utf8", stdio: "pipe" });
    return "";
  } catch (error) {
    return String((error as { stdout?: string }).stdout || error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("exports are dashboards by Grafana's types", () => {
  const boards = [...EXAMPLES.map((name) => JSON.parse(readFileSync(join(ui, `../examples/monitoring/dashboards/${name}.json`), "utf8")) as Dashboard), made];
  for (const kind of ["athena", "postgres"] as const) {
    it.each(boards.map((board) => [board.title, board] as const))(`${kind}: %s`, { timeout: 120_000 }, (_, board) => expect(mistakes(board, kind)).toBe(""));
  }
  it("a wrong one is found", { timeout: 120_000 }, () => {
    const wrong = { ...made, panels: [{ ...made.panels[1], gridPos: { x: "left", y: 0, w: 1, h: 1 } }] } as unknown as Dashboard;
    expect(mistakes(wrong, "athena")).toContain("is not assignable to type 'number'");
  });
});
