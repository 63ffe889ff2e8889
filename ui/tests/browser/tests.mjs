/** What people do with the console. Each test has a page of its own; data of others may be there. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { accessTests } from "./access.mjs";
import { boardTests } from "./boards.mjs";
import { streamTests } from "./streams.mjs";

const PAGES = [
  ["overview", "/", "Latest work"], ["query", "/query", "The rows come here"], ["catalog", "/catalog", "curated.windowed"], ["table", "/catalog/curated/windowed", "partition key"],
  ["jobs", "/jobs", "metrics-windowed"], ["streams", "/streams", "metrics-live"], ["runs", "/runs", "metrics-plain"], ["lake", "/lake", "metrics-csv"], ["folder", "/lake?uri=s3%3A%2F%2Fmetrics-csv%2F", ".csv"],
  ["dashboards", "/dashboards", "Service traffic"], ["settings", "/settings", "Version"],
];

async function query(page, sql) {
  const editor = page.getByRole("textbox", { name: "SQL" });
  await editor.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(sql);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
}

/** Whether a canvas in this element has something drawn on it. */
function isDrawn(locator) {
  return locator.evaluate((element) => {
    const canvas = element.querySelector("canvas");
    if (!canvas?.width) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
    return colours.size > 2;
  });
}

export const tests = [
  ...PAGES.map(([title, path, text]) => [`page ${title}`, async ({ page, open, shot, accessible }) => {
    await open(path);
    await page.getByText(text, { exact: false }).first().waitFor();
    await page.waitForLoadState("networkidle").catch(() => undefined);
    await shot(title);
    await accessible();
  }]),

  ["dark pages are as readable", async ({ page, open, shot, accessible }) => {
    await open("/");
    await page.getByRole("button", { name: "Use the dark theme" }).click();
    await page.getByText("Latest work").waitFor();
    await shot("overview-dark");
    await accessible();
    await open("/catalog/curated/windowed");
    await page.getByText("partition key").first().waitFor();
    await accessible();
  }],

  ["a query is written, completed, charted and taken away", async ({ page, open, shot, accessible }) => {
    await open("/query");
    const editor = page.getByRole("textbox", { name: "SQL" });
    await page.getByRole("button", { name: "windowed", exact: true }).waitFor();
    await editor.click();
    await page.keyboard.type("SELECT * FROM curated.wind");
    await page.getByRole("option", { name: "windowed" }).waitFor();
    await query(page, "SELECT componentname, date_trunc('hour', fromtimestamp) AS hour, avg(maxvalue) AS highest\nFROM curated.windowed WHERE metricname = 'latency' GROUP BY 1, 2 ORDER BY 2, 1");
    const grid = page.getByRole("table", { name: "Rows of the result" });
    await grid.getByRole("cell", { name: "gateway" }).first().waitFor();
    assert.equal(await grid.getAttribute("aria-rowcount"), String(48 * 6 + 1));
    await shot("query-rows");
    await accessible();
    await page.getByRole("tab", { name: "Chart" }).click();
    const chart = page.getByRole("img", { name: /Chart of highest by hour/ });
    await chart.waitFor();
    await page.waitForFunction(() => document.querySelector(".query-body canvas"));
    assert.ok(await isDrawn(chart));
    await shot("query-chart");
    await page.getByRole("tab", { name: "Plan" }).click();
    await page.getByText("peak memory").waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV", exact: true }).click()]);
    const lines = readFileSync(await file.path(), "utf8").trim().split("\n");
    assert.equal(lines[0], "componentname,hour,highest");
    assert.equal(lines.length, 48 * 6 + 1);
    const [parquet] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Parquet", exact: true }).click()]);
    assert.equal(readFileSync(await parquet.path()).subarray(0, 4).toString(), "PAR1");
  }],

  ["mistakes are underlined as they are typed", async ({ page, open, shot }) => {
    await open("/query");
    await page.getByRole("textbox", { name: "SQL" }).click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("SELECT maxvalu FROM curated.windowed");
    const mark = page.locator(".cm-lintRange-error");
    await mark.waitFor();
    assert.equal(await mark.textContent(), "maxvalu");
    await mark.hover();
    await page.getByText("maxvalue", { exact: false }).first().waitFor();
    await shot("query-mistake");
  }],

  ["a long result is scrolled to its end", async ({ page, open }) => {
    await open("/query");
    await query(page, "SELECT a * 1000 + b AS n FROM UNNEST(sequence(0, 199)) AS t(a) CROSS JOIN UNNEST(sequence(0, 999)) AS u(b) ORDER BY 1");
    const grid = page.getByRole("table", { name: "Rows of the result" });
    await grid.getByRole("cell", { name: "0", exact: true }).first().waitFor();
    assert.ok((await grid.getByRole("row").count()) < 120);
    await grid.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    await grid.getByRole("cell", { name: "199999", exact: true }).waitFor();
  }],

  ["why a run failed stands on top of it", async ({ page, open, shot, accessible }) => {
    await open("/query");
    await query(page, "SELECT 100 / (count(*) - count(*)) AS n FROM curated.windowed");
    await page.getByRole("alert").waitFor();
    await open("/");
    await page.getByText("Needs a look").waitFor();
    await page.getByRole("table").first().getByRole("link").first().click();
    await page.getByRole("alert").waitFor();
    assert.match(await page.getByRole("alert").textContent(), /zero/i);
    await shot("run-failed");
    await accessible();
  }],

  ["runs are filtered, shown and compared", async ({ page, open, shot }) => {
    await open("/runs");
    await page.getByLabel("Kind").selectOption("job");
    await page.getByRole("link", { name: "traffic-report" }).waitFor();
    await page.getByLabel("Pick job metrics-windowed to compare").check();
    await page.getByLabel("Pick job metrics-plain to compare").check();
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByText("Lines that differ are marked").waitFor();
    await shot("compare");
    await page.goBack();
    await page.getByRole("link", { name: "metrics-windowed" }).click();
    await page.getByRole("heading", { name: "Nodes" }).waitFor();
    await page.getByText("rows written", { exact: false }).first().waitFor();
    await shot("run-job");
  }],

  ["a file is uploaded, previewed, crawled and queried", async ({ page, open, shot, accessible }) => {
    await open("/lake");
    await page.getByRole("button", { name: "New bucket" }).click();
    await page.getByLabel("Name").fill("zoo");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByText("Nothing is here yet").waitFor();
    await shot("lake-empty");
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(["name,age,born\nrex,3,2023-01-04\nmia,4,2022-11-30\n"], "pets.csv", { type: "text/csv" }));
      return data;
    });
    await page.locator(".drop").dispatchEvent("drop", { dataTransfer: transfer });
    await page.getByLabel("uploaded").waitFor();
    await page.getByRole("button", { name: "pets.csv", exact: true }).click();
    await page.getByRole("cell", { name: "mia" }).waitFor();
    await shot("lake-preview");
    await accessible();
    await page.getByRole("button", { name: "Crawl", exact: true }).click();
    await page.getByLabel("Database").fill("zoo");
    await page.getByRole("button", { name: "Start the crawl" }).click();
    await page.getByText("succeeded").first().waitFor();
    await open("/query");
    await query(page, "SELECT name, age + 1 AS next FROM zoo.zoo ORDER BY 1");
    await page.getByRole("table", { name: "Rows of the result" }).getByRole("cell", { name: "5", exact: true }).first().waitFor();
  }],

  ["a table shows its rows, partitions, versions, definition and profile", async ({ page, open, shot }) => {
    await open("/catalog/curated/windowed?tab=preview");
    await page.getByRole("table", { name: "First rows" }).getByRole("cell").first().waitFor();
    await page.getByRole("tab", { name: "Partitions" }).click();
    await page.getByLabel("Condition on the partition keys").fill("metricname = 'cpu'");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.waitForFunction(() => document.querySelectorAll("table.list tbody tr").length === 6);
    await page.getByRole("tab", { name: "Versions" }).click();
    await page.getByText("+ maxvalue", { exact: false }).waitFor();
    await page.getByRole("tab", { name: "Definition" }).click();
    await page.getByText("CREATE EXTERNAL TABLE", { exact: false }).waitFor();
    await page.getByRole("tab", { name: "Profile" }).click();
    await page.getByRole("button", { name: "Read it" }).click();
    await page.getByText("gateway").first().waitFor();
    await shot("table-profile");
  }],

  ["a variable changes the chart", async ({ page, open, shot, accessible }) => {
    await open("/dashboards/service-metrics");
    const panel = page.getByRole("region", { name: "latency by service" });
    await panel.getByRole("button", { name: /gateway/ }).waitFor();
    assert.ok(await isDrawn(panel));
    await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
    await shot("dashboard-metrics");
    await accessible();
    const before = await panel.locator("canvas").evaluate((canvas) => canvas.toDataURL());
    await page.getByRole("combobox", { name: /Metric/ }).selectOption("cpu");
    const changed = page.getByRole("region", { name: "cpu by service" });
    await changed.getByRole("button", { name: /gateway/ }).waitFor();
    await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
    assert.notEqual(await changed.locator("canvas").evaluate((canvas) => canvas.toDataURL()), before);
    await page.getByRole("group", { name: "Service" }).getByRole("button", { name: "gateway" }).click();
    await page.waitForFunction(() => document.querySelectorAll('[aria-label="cpu by service"] .legend button').length === 1);
    assert.match(page.url(), /var-component=gateway/);
  }],

  ["the graph of calls has the services' edges", async ({ page, open, shot, accessible }) => {
    await open("/dashboards/service-traffic");
    const graph = page.locator(".nodes");
    await graph.waitFor();
    const edges = await graph.locator("[data-edge]").evaluateAll((all) => all.map((one) => one.dataset.edge).sort());
    for (const edge of ["gateway>inventory-service", "gateway>order-service", "gateway>user-service", "order-service>payment-service", "order-service>user-service"]) {
      assert.ok(edges.includes(edge), `${edge} is not among ${edges}`);
    }
    assert.equal(edges.length, 10);
    await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
    await shot("dashboard-traffic");
    await accessible();
    await graph.locator('[data-node="payment-service"]').click();
    await page.waitForURL(/service-metrics\?var-component=payment-service/);
  }],

  ["a dashboard is made, edited and deleted", async ({ page, open, shot }) => {
    page.on("dialog", (dialog) => void dialog.accept(dialog.type() === "prompt" ? "My numbers" : undefined));
    await open("/dashboards");
    await page.getByRole("button", { name: "New dashboard" }).click();
    await page.getByRole("button", { name: "Add a panel" }).click();
    await page.getByLabel("Query").fill("SELECT componentname AS service, max(maxvalue) AS highest FROM windowed GROUP BY 1");
    await page.getByLabel("Database", { exact: true }).fill("curated");
    await page.getByLabel("Kind").selectOption("barchart");
    await page.getByLabel("Title", { exact: true }).fill("Highest");
    await shot("dashboard-edit");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("region", { name: "Highest" }).locator("canvas").waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.waitForURL(/\/dashboards$/);
  }],

  ["a job is looked at, changed, validated, previewed and run", async ({ page, open, shot, accessible }) => {
    await open("/jobs/metrics-plain");
    const node = page.locator('.react-flow__node[data-id="files"]');
    await node.waitFor();
    await shot("job");
    await accessible();
    await node.click();
    await page.getByLabel("Paths").fill("s3://single-csv/");
    await page.getByLabel("Name", { exact: true }).click();
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByRole("table", { name: "First rows behind CSV files" }).getByRole("columnheader", { name: /publicationTimestamp/ }).waitFor({ timeout: 90_000 });
    await shot("job-preview");
    await page.getByRole("button", { name: "Validate" }).click();
    await page.getByText("No mistake was found.").waitFor();
    await page.getByRole("tab", { name: "Glue script" }).click();
    await page.getByText("GlueContext", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByLabel("--output").fill("s3://by-console/windows/");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("succeeded").first().waitFor({ timeout: 90_000 });
    await page.getByText("s3://by-console/windows/").first().waitFor();
  }],

  ["a job that two people change at once loses no change unseen", async ({ page, open, expected }) => {
    await open("/jobs/metrics-plain");
    await page.locator(".react-flow__node").first().waitFor();
    const ask = (name, body) => page.evaluate(async ([operation, sent]) => {
      const answer = await fetch(`/api/do/${operation}`, { method: "POST", headers: { "x-glulam": "test" }, body: JSON.stringify(sent) });
      return [answer.status, await answer.json()];
    }, [name, body]);
    const [, [{ definition }]] = await ask("show-job", { name: "metrics-plain" });
    const text = definition.replace(/^Name:.*$/m, "Name: shared");
    const saved = async (body, replaces) => (await ask("save-job", { definition: { name: "shared.yaml", text: body }, replaces }))[0];
    assert.equal(await saved(text, null), 200);
    assert.equal(await saved(`${text}# never`, `${text}# not this`), 409);
    await open("/jobs/shared");
    await page.getByRole("tab", { name: "Definition" }).click();
    const written = page.getByLabel("Definition", { exact: true });
    await written.fill(`${text}\n# mine\n`);
    assert.equal(await saved(`${text}\n# theirs\n`, text), 200);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("was changed or deleted meanwhile").waitFor();
    await page.getByRole("button", { name: "Take what is kept now" }).click();
    assert.match(await written.inputValue(), /# theirs/);
    await written.fill(`${text}\n# theirs\n# mine\n`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    assert.match((await ask("show-job", { name: "shared" }))[1][0].definition, /# theirs\n# mine/);
    assert.equal((await ask("delete-job", { name: "shared" }))[0], 200);
    expected(/409/);
  }],

  ...streamTests,
  ...boardTests,
  ...accessTests,

  ["a second Ctrl-Enter takes the first one's place", async ({ page, open }) => {
    await open("/query");
    const slow = "SELECT count(*) AS n FROM UNNEST(sequence(1, 9000)) AS t(a) CROSS JOIN UNNEST(sequence(1, 9000)) AS u(b) WHERE a * b % 7 = 3";
    await query(page, slow);
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await query(page, "SELECT 4711 AS answer");
    await page.getByRole("table", { name: "Rows of the result" }).getByRole("cell", { name: "4711" }).waitFor();
    // The first one was stopped, not left to itself.
    const [second, first] = await page.evaluate(async () => {
      const ask = async (name, body) => (await fetch(`/api/do/${name}`, { method: "POST", headers: { "x-glulam": "test" }, body: JSON.stringify(body) })).json();
      const runs = await ask("list-runs", { kind: "query", states: [], limit: 2 });
      let [newer, older] = runs;
      for (let turn = 0; older.state === "stopping" && turn < 6; turn += 1) older = await ask("follow-run", { id: older.id, seen: older.revision, wait_millis: 10_000 });
      return [newer.state, older.state];
    });
    assert.deepEqual([second, first], ["succeeded", "stopped"]);
  }],

  ["an address that cannot be read shows a page all the same", async ({ page, open, expected }) => {
    await open("/");
    await page.getByText("Latest work").waitFor();
    const go = (path) => page.evaluate((to) => {
      history.pushState(null, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    }, path);
    await go("/catalog/%E0%A4%A/x");
    await page.getByRole("alert").waitFor();
    await go("/%");
    await page.getByText("There is nothing at this address").waitFor();
    expected(/400|404/);
  }],

  ["the keyboard reaches everything that matters", async ({ page, open }) => {
    await open("/");
    await page.getByText("Latest work").waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
    for (let n = 0; n < 3; n += 1) await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Query");
    await page.keyboard.press("Enter");
    await page.getByRole("textbox", { name: "SQL" }).waitFor();
  }],
];
