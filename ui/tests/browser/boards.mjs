/** Dashboards with annotations, repeats, gauges, gaps; panels moved and sized. */

import assert from "node:assert/strict";

const panel = (id, x, y, w, h, more) => ({ id, gridPos: { x, y, w, h }, datasource: { type: "grafana-athena-datasource" }, options: {}, fieldConfig: { defaults: {}, overrides: [] }, ...more });
const sql = (rawSQL, database = "curated") => [{ refId: "A", rawSQL, format: 1, connectionArgs: { database } }];

const BOARD = {
  title: "Many things", uid: "many-things", schemaVersion: 39, time: { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" },
  annotations: {
    list: [
      { name: "Deploys", enable: true, iconColor: "purple", target: { refId: "Anno", rawSQL: "SELECT TIMESTAMP '2026-03-02 06:00:00' AS time, CAST(NULL AS timestamp) AS timeEnd, 'v2' AS title, 'rolled out' AS text UNION ALL SELECT TIMESTAMP '2026-03-02 12:00:00', TIMESTAMP '2026-03-02 15:00:00', 'outage', 'of the cache'", format: 1 } },
      { name: "Off at first", enable: false, iconColor: "red", rawQuery: "SELECT TIMESTAMP '2026-03-02 20:00:00' AS time, 'x' AS text" },
    ],
  },
  templating: { list: [{ name: "service", type: "query", multi: true, includeAll: true, current: { value: ["gateway", "user-service", "order-service"] }, query: { rawSQL: "SELECT DISTINCT componentname FROM windowed ORDER BY 1", connectionArgs: { database: "curated" } } }] },
  panels: [
    panel(1, 0, 0, 16, 8, { type: "timeseries", title: "With gaps filled", targets: sql("SELECT $__timeGroup(fromtimestamp, '1h', 0) AS time, max(maxvalue) AS highest FROM windowed WHERE metricname = 'latency' AND componentname = 'gateway' AND $__timeFilter(fromtimestamp) AND hour(fromtimestamp) % 2 = 0 GROUP BY 1") }),
    panel(2, 16, 0, 8, 8, { type: "gauge", title: "Load", fieldConfig: { defaults: { unit: "percent", min: 0, max: 100, thresholds: { mode: "absolute", steps: [{ color: "green", value: null }, { color: "orange", value: 70 }, { color: "red", value: 90 }] } }, overrides: [] }, targets: sql("SELECT 82.5 AS load") }),
    panel(3, 0, 8, 8, 4, { type: "stat", title: "$service", repeat: "service", repeatDirection: "h", maxPerRow: 3, targets: sql("SELECT max(maxvalue) AS highest FROM windowed WHERE metricname = 'latency' AND componentname IN ($service)") }),
    panel(4, 0, 12, 24, 6, { type: "table", title: "Below", fieldConfig: { defaults: {}, overrides: [{ matcher: { id: "byName", options: "bad" }, properties: [{ id: "links", value: [{ title: "x", url: "javascript:document.title='owned'" }] }] }, { matcher: { id: "byName", options: "good" }, properties: [{ id: "links", value: [{ title: "x", url: "https://example.com/${__value.raw}" }] }] }] }, targets: sql("SELECT 'one' AS bad, 'two' AS good") }),
  ],
};

/** Puts a dashboard into the lake, whether it is there or not. */
async function keep(page, name, board) {
  const status = await page.evaluate(async ([at, body]) => {
    const own = { "content-type": "application/json", "x-glulam": "test" };
    const read = await fetch(`/api/dashboards/${at}`);
    const etag = read.ok ? read.headers.get("etag") : null;
    return (await fetch(`/api/dashboards/${at}`, { method: "PUT", headers: etag ? { ...own, "if-match": etag } : own, body: JSON.stringify(body) })).status;
  }, [name, board]);
  assert.equal(status, 200);
}

const saved = (page, name) => page.evaluate(async (at) => (await (await fetch(`/api/dashboards/${at}`)).json()).panels.map(({ id, gridPos: { x, y, w, h } }) => [id, x, y, w, h].join()), name);

export const boardTests = [
  ["a dashboard has annotations, repeats, filled gaps and bands", async ({ page, open, shot, accessible, expected }) => {
    await open("/dashboards");
    await page.getByText("Service traffic").first().waitFor();
    expected(/404/);
    await keep(page, "many-things", BOARD);
    expected(/404/);
    await open("/dashboards/many-things");
    const chart = page.getByRole("region", { name: "With gaps filled" });
    await chart.getByRole("img", { name: /2 annotations/ }).waitFor();
    for (const service of ["gateway", "user-service", "order-service"]) await page.getByRole("region", { name: service, exact: true }).locator(".big-value").waitFor();
    const [first, third, below] = await Promise.all(["gateway", "user-service", "Below"].map((name) => page.getByRole("region", { name, exact: true }).boundingBox()));
    assert.ok(Math.abs(first.y - third.y) < 2 && below.y > first.y + first.height - 2, "copies stand side by side, and the table below them");
    await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
    await shot("dashboard-many");
    await accessible();
    await page.getByLabel("Off at first").check();
    await chart.getByRole("img", { name: /3 annotations/ }).waitFor();
    assert.match(page.url(), /anno-Off\+at\+first=on/);
    await page.getByLabel("Deploys").uncheck();
    await chart.getByRole("img", { name: /1 annotation$/ }).waitFor();
    // A script as a link is no link; another site is one, and opens beside.
    const table = page.getByRole("region", { name: "Below" });
    assert.equal(await table.getByText("one").evaluate((element) => element.tagName), "SPAN");
    assert.equal(await table.getByRole("link", { name: "two" }).getAttribute("href"), "https://example.com/two");
    assert.equal(await table.getByRole("link", { name: "two" }).getAttribute("target"), "_blank");
  }],

  ["panels are moved and sized by pointer and by keys", async ({ page, open, shot, accessible, expected }) => {
    await open("/dashboards");
    await page.getByText("Service traffic").first().waitFor();
    await keep(page, "many-things", BOARD);
    expected(/404/);
    await open("/dashboards/many-things?edit=1");
    const grip = page.getByRole("button", { name: "Move Load" });
    await grip.waitFor();
    const from = await grip.boundingBox();
    const target = await page.getByRole("region", { name: "With gaps filled" }).boundingBox();
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(from.x - 300, from.y, { steps: 4 });
    await page.mouse.move(target.x + 20, from.y + from.height / 2, { steps: 4 });
    await page.mouse.up();
    const corner = page.getByRole("button", { name: "Resize Load" });
    await corner.focus();
    for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
    await page.getByRole("button", { name: "Move Below" }).focus();
    await page.keyboard.press("ArrowUp");
    await shot("dashboard-moving");
    await accessible();
    await page.getByRole("button", { name: "Save" }).click();
    await page.waitForURL(/many-things$/);
    const places = await saved(page, "many-things");
    // The gauge stands first, two columns wider and a row higher; the chart was pushed below it, the table above the stat.
    assert.ok(places.includes("2,0,0,10,9"), places.join(" "));
    const row = (id) => Number(places.find((one) => one.startsWith(`${id},`)).split(",")[2]);
    assert.ok(row(1) >= 9 && row(4) < row(3), places.join(" "));
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByLabel("Export").selectOption("source athena")]);
    assert.equal(file.suggestedFilename(), "athena.yaml");
  }],
];
