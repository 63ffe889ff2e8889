/**
 * The console in a browser, measured: `node bench/console.mjs GLULAM FOLDER SCALE RUNS` prints JSON. bench/console.py calls
 * it. Needs ui/node_modules and Chromium, as the browser tests do.
 */

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const { chromium } = createRequire(join(root, "ui/package.json"))("playwright-core");
const [glulam, folder, scale, runs] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const SERIES = 100;
const DAYS = Math.max(1, Math.round(365 * scale));
const ROWS = Math.max(10_000, Math.round(1_000_000 * scale));

const environment = { ...process.env, GLULAM_DATA: join(folder, "data"), NO_COLOR: "1" };
const run = (...words) => execFileSync(glulam, words, { cwd: folder, env: environment, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const percentile = (numbers, part) => [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];

/** Five-minute windows of a year for a hundred services, a partition each. */
function fill() {
  run("sql", "CREATE DATABASE bench");
  run("sql", `CREATE TABLE bench.windows WITH (format = 'PARQUET', partitioned_by = ARRAY['service']) AS
    SELECT date_add('minute', CAST(5 * w AS integer), date_add('day', CAST(d AS integer), TIMESTAMP '2025-01-01 00:00:00')) AS at,
           50 + 40 * sin(w / 45.8 + s) + d % 7 AS highest, 20 + 15 * cos(w / 45.8 + s) AS least,
           'service-' || lpad(CAST(s AS varchar), 3, '0') AS service
    FROM UNNEST(sequence(0, ${DAYS - 1})) AS a(d) CROSS JOIN UNNEST(sequence(0, 287)) AS b(w) CROSS JOIN UNNEST(sequence(0, ${SERIES - 1})) AS c(s)`);
}

const panel = (id, type, title, rawSQL, more = {}) => ({
  id, type, title, gridPos: { x: (id % 3) * 8, y: Math.floor(id / 3) * 8, w: 8, h: 8 }, options: {}, fieldConfig: { defaults: {}, overrides: [] },
  targets: [{ refId: "A", rawSQL, format: 0, connectionArgs: { database: "bench" } }], ...more,
});

/** Twelve panels: each series by the day, shares of them, extremes, a table. */
function board() {
  const group = "$__timeGroup(at, '1d')";
  const where = "$__timeFilter(at)";
  return {
    title: "A year of windows", uid: "bench", schemaVersion: 39, time: { from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" }, templating: { list: [] },
    panels: [
      panel(0, "timeseries", "highest by service", `SELECT ${group} AS time, service, max(highest) AS v FROM windows WHERE ${where} GROUP BY 1, 2`),
      panel(1, "timeseries", "least by service", `SELECT ${group} AS time, service, min(least) AS v FROM windows WHERE ${where} GROUP BY 1, 2`),
      panel(2, "timeseries", "mean by service", `SELECT ${group} AS time, service, avg(highest) AS v FROM windows WHERE ${where} GROUP BY 1, 2`),
      panel(3, "timeseries", "all services", `SELECT ${group} AS time, avg(highest) AS highest, avg(least) AS least FROM windows WHERE ${where} GROUP BY 1`),
      panel(4, "timeseries", "service-007, five minutes of a week", `SELECT at AS time, highest, least FROM windows WHERE service = 'service-007' AND at < TIMESTAMP '2025-01-08 00:00:00'`),
      panel(5, "timeseries", "hours of ten services", `SELECT $__timeGroup(at, '6h') AS time, service, max(highest) AS v FROM windows WHERE ${where} AND service < 'service-010' GROUP BY 1, 2`),
      panel(6, "barchart", "highest of all", `SELECT service, max(highest) AS v FROM windows WHERE ${where} GROUP BY 1 ORDER BY 2 DESC LIMIT 20`),
      panel(7, "table", "services", `SELECT service, count(*) AS windows, max(highest) AS highest, min(least) AS least FROM windows WHERE ${where} GROUP BY 1`),
      panel(8, "stat", "windows", `SELECT count(*) AS n FROM windows WHERE ${where}`),
      panel(9, "gauge", "mean", `SELECT avg(highest) AS v FROM windows WHERE ${where}`),
      panel(10, "stat", "above 95", `SELECT count(*) AS n FROM windows WHERE ${where} AND highest > 95`),
      panel(11, "heatmap", "highest by the day", `SELECT ${group} AS time, service, avg(highest) AS v FROM windows WHERE ${where} AND service < 'service-020' GROUP BY 1, 2`),
    ],
  };
}

/** The address of a server on the data, and how to end it. */
async function up() {
  const server = spawn(glulam, ["up", "--aws", "off", "--console", "127.0.0.1:0"], { cwd: folder, env: environment, stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((done, failed) => {
    let text = "";
    server.stdout.on("data", (piece) => {
      text += piece;
      const found = /console=(http:\S+)/.exec(text);
      if (found) done(found[1]);
    });
    server.on("exit", (code) => failed(new Error(`the server ended with ${code}`)));
  });
  return { url, end: () => new Promise((done) => { server.on("exit", done); server.kill("SIGTERM"); }) };
}

/** First paint and the page's own content, from a cache that is empty each time; what was sent for it. */
async function paint(browser, url) {
  const [first, whole] = [[], []];
  let sent = 0;
  for (let turn = 0; turn <= runs; turn += 1) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.goto(url, { waitUntil: "domcontentloaded" });
    await page.locator(".stat, .empty").first().waitFor();
    const [paintedAt, drawnAt, bytes] = await page.evaluate(() => [
      performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN, performance.now(),
      performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).filter((one) => !one.name.includes("/api/")).reduce((sum, one) => sum + one.encodedBodySize, 0),
    ]);
    if (turn > 0) {
      first.push(paintedAt);
      whole.push(drawnAt);
    }
    sent = bytes;
    await context.close();
  }
  return { first_paint_ms: median(first), overview_ms: median(whole), first_page_bytes: sent };
}

/** The compressed files that the binary holds. */
function bundle() {
  const files = (at) => readdirSync(at, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? files(join(at, one.name)) : [join(at, one.name)]));
  const packed = files(join(root, "ui/dist")).filter((path) => path.endsWith(".gz"));
  const sum = (list) => list.reduce((total, path) => total + statSync(path).size, 0);
  return { bundle_bytes: sum(packed), script_bytes: sum(packed.filter((path) => path.endsWith(".js.gz"))) };
}

/** Pages of a long result, asked for anywhere in it; and the grid scrolled there. */
async function scroll(browser, url) {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await page.goto(`${url}/query?sql=${encodeURIComponent(`SELECT a * 1000 + b AS n, 'row ' || CAST(a * 1000 + b AS varchar) AS name, sqrt(a * 1000 + b) AS root FROM UNNEST(sequence(0, ${ROWS / 1000 - 1})) AS t(a) CROSS JOIN UNNEST(sequence(0, 999)) AS u(b) ORDER BY 1`)}`);
  await page.getByRole("button", { name: /Run/ }).click();
  const grid = page.getByRole("table", { name: "Rows of the result" });
  await grid.waitFor({ timeout: 300_000 });
  const id = await page.evaluate(async () => {
    const asked = await fetch("/api/do/list-runs", { method: "POST", headers: { "x-glulam": "bench" }, body: JSON.stringify({ kind: "query", states: [], limit: 1 }) });
    return (await asked.json())[0].id;
  });
  const fetched = await page.evaluate(async ([run, rows]) => {
    const times = [];
    for (let n = 0; n < 60; n += 1) {
      const from = Math.floor(((n * 7919) % 1000) * (rows / 1000 / 1000)) * 1000;
      const begun = performance.now();
      const answer = await (await fetch(`/api/results/${run}?from=${from}&limit=1000`)).json();
      if (answer.rows[0][0] !== String(from)) throw new Error(`row ${from} is ${answer.rows[0][0]}`);
      times.push(performance.now() - begun);
    }
    return times;
  }, [id, ROWS]);
  const drawn = [];
  for (let n = 1; n <= 20; n += 1) {
    const part = ((n * 37) % 97) / 97;
    drawn.push(await grid.evaluate(async (element, share) => {
      const begun = performance.now();
      element.scrollTop = share * (element.scrollHeight - element.clientHeight);
      const isThere = () => {
        const line = [...element.querySelectorAll(".grid-line")].find((one) => one.getBoundingClientRect().top > element.getBoundingClientRect().top + 60);
        const cells = line?.querySelectorAll('[role="cell"]');
        return cells && Number(cells[0].textContent.replaceAll(",", "")) - 1 === Number(cells[1].textContent) && cells[1].textContent !== "";
      };
      while (!isThere()) await new Promise((done) => requestAnimationFrame(done));
      return performance.now() - begun;
    }, part));
  }
  await page.context().close();
  return { rows: ROWS, page_fetch_ms: median(fetched), page_fetch_p99_ms: percentile(fetched, 0.99), scroll_ms: median(drawn) };
}

/** In the page: milliseconds from pressing the button until no panel waits any more. */
function refresh() {
  return new Promise((done) => {
    const begun = performance.now();
    let hasWaited = false;
    const look = () => {
      const waits = document.querySelector('[data-panel][aria-busy="true"]') !== null;
      if (hasWaited && !waits) return done(performance.now() - begun);
      hasWaited ||= waits;
      requestAnimationFrame(look);
    };
    document.querySelector('[aria-label="Refresh now"]').click();
    look();
  });
}

/** In the page: the windows of one more moment, one of each series, put into the table. */
async function land(minute) {
  const ask = async (operation, body) => {
    const answer = await fetch(`/api/do/${operation}`, { method: "POST", headers: { "content-type": "application/json", "x-glulam": "bench" }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const sql = `INSERT INTO windows SELECT date_add('minute', ${minute}, TIMESTAMP '2025-12-31 23:56:00'), highest, least, service FROM windows WHERE at = TIMESTAMP '2025-01-01 00:00:00'`;
  const { run } = await ask("start-query", { text: sql, source_name: "bench", database: "bench", parameters: [] });
  for (;;) {
    const { state } = await ask("follow-run", { id: run, seen: null, wait_millis: 1000 });
    if (state === "succeeded") return;
    if (state === "failed" || state === "stopped") throw new Error(`windows could not be added: ${state}`);
  }
}

/** A dashboard opened, and refreshed: until no panel waits any more. */
async function dashboard(browser, url) {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 2000 } })).newPage();
  await page.goto(url);
  const status = await page.evaluate(async (body) => (await fetch("/api/dashboards/bench", { method: "PUT", headers: { "content-type": "application/json", "x-glulam": "bench" }, body })).status, JSON.stringify(board()));
  if (status !== 200) throw new Error(`the dashboard was not kept: ${status}`);
  const settled = () => page.waitForFunction(() => document.querySelectorAll("[data-panel]").length === 12 && !document.querySelector('[data-panel][aria-busy="true"]'), undefined, { timeout: 300_000, polling: "raf" });
  const [opened, refreshed, renewed] = [[], [], []];
  for (let turn = 0; turn <= runs; turn += 1) {
    const begun = performance.now();
    await page.goto(`${url}/dashboards/bench`, { waitUntil: "commit" });
    await settled();
    if (turn > 0) opened.push(performance.now() - begun);
    if ((await page.locator("[data-panel] [role=alert]").count()) > 0) throw new Error(`a panel failed: ${await page.locator("[data-panel] [role=alert]").first().innerText()}`);
    const steady = await page.evaluate(refresh);
    await page.evaluate(land, turn);
    const news = await page.evaluate(refresh);
    if (turn > 0) {
      refreshed.push(steady);
      renewed.push(news);
    }
  }
  await page.context().close();
  return { windows: DAYS * 288 * SERIES, dashboard_open_ms: median(opened), dashboard_refresh_ms: median(refreshed), dashboard_news_ms: median(renewed) };
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
fill();
const server = await up();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const found = { ...bundle(), ...(await paint(browser, server.url)), ...(await scroll(browser, server.url)), ...(await dashboard(browser, server.url)) };
  writeFileSync(1, `${JSON.stringify(found)}\n`);
} finally {
  await browser.close();
  await server.end();
  rmSync(folder, { recursive: true, force: true });
}
