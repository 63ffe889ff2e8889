/** Streams and the applications over them, in the browser. */

import assert from "node:assert/strict";

const SCRIPT = `SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE metrics (
  componentName STRING, metricName STRING, \`value\` DOUBLE, publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH ('connector' = 'kinesis', 'stream' = 'metrics-live', 'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
CREATE TABLE windows (componentName STRING, highest DOUBLE, events BIGINT, fromTimestamp TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = 's3://curated/live/', 'format' = 'json');
INSERT INTO windows SELECT componentName, MAX(\`value\`), COUNT(*), window_start
FROM TABLE(TUMBLE(TABLE metrics, DESCRIPTOR(publicationTimestamp), INTERVAL '5' MINUTES))
GROUP BY componentName, window_start, window_end;`;

async function write(page, text) {
  const editor = page.getByRole("textbox", { name: "Script" });
  await editor.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

const event = (time) => JSON.stringify({ componentName: "order-service", metricName: "cpu", value: 99.5, publicationTimestamp: time });

export const streamTests = [
  ["a stream is made, filled and read", async ({ page, open, shot, accessible }) => {
    await open("/streams");
    await page.getByRole("button", { name: "New stream" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("clicks");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByRole("heading", { name: "clicks" }).waitFor();
    await page.getByText("No record is here yet").waitFor();
    await page.getByRole("button", { name: "Put a record" }).click();
    await page.getByLabel("Partition key").fill("user-7");
    await page.getByLabel("Data").fill('{"page":"/start","user":12345678901234567890}');
    await page.getByRole("button", { name: "Put it" }).click();
    await page.getByText("It is stored.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Read on" }).click();
    const record = page.getByRole("list", { name: "Records" }).getByRole("listitem");
    await record.waitFor();
    // Pretty, and no digit of a long number is lost.
    assert.match(await record.innerText(), /"page": "\/start",\n\s*"user": 12345678901234567890/);
    await page.getByText("1 ever").waitFor();
    await shot("stream-records");
    await accessible();
    // What comes is shown as it comes.
    await page.getByLabel("From").selectOption("latest");
    await page.getByText("New ones appear as they come").waitFor();
    await page.getByRole("button", { name: "Put a record" }).click();
    await page.getByLabel("Data").fill("second");
    await page.getByRole("button", { name: "Put it" }).click();
    await page.getByText("It is stored.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await record.getByText("second").waitFor();
    assert.equal(await record.count(), 1);
    const number = await record.getByTitle("Sequence number").innerText();
    await page.getByLabel("From").selectOption("at_sequence_number");
    await page.getByLabel("Sequence number").fill(number);
    await record.getByText("second").waitFor();
    await page.getByLabel("From").selectOption("at_timestamp");
    await page.getByLabel("Time (UTC)").fill("2020-01-01T00:00:00");
    await page.getByText("2 records").waitFor();
    page.on("dialog", (dialog) => void dialog.accept());
    await page.getByRole("button", { name: "Delete" }).click();
    await page.waitForURL(/\/streams$/);
    await page.getByRole("link", { name: "clicks" }).waitFor({ state: "detached" });
  }],

  ["a stream's shards are shown with where they came from", async ({ page, open, shot, accessible }) => {
    await open("/streams/stream/metrics-live?tab=shards");
    await page.getByRole("img", { name: "2 shards in 1 generation, 2 of them open" }).waitFor();
    await page.getByRole("cell", { name: "shardId-000000000001" }).waitFor();
    await shot("stream-shards");
    await accessible();
  }],

  ["an application is written, run, watched, kept and stopped", async ({ page, home, open, shot, accessible, expected }) => {
    page.on("dialog", (dialog) => void dialog.accept(dialog.type() === "prompt" ? "before-lunch" : undefined));
    await open("/streams/new");
    await page.getByLabel("Name").fill("live");
    await write(page, SCRIPT.replace("MAX(`value`)", "MAX(`valu`)"));
    const mark = page.locator(".cm-lintRange-error");
    await mark.waitFor();
    await write(page, SCRIPT);
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.waitForURL(/application\/live$/);
    // Whether there is one of that name is asked first.
    expected(/404.*show-application/);
    await page.locator('.react-flow__node[data-id="table-0"]').getByText("metrics", { exact: true }).waitFor();
    assert.ok((await page.locator(".react-flow__node").count()) >= 4);
    await shot("application");
    await accessible();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByLabel("Tasks side by side").fill("2");
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await page.getByText("1,200 in this run", { exact: false }).waitFor();
    await page.getByText("watermark 2026-03-02 10:19:", { exact: false }).waitFor();
    // An event far ahead closes all windows; one of an old window is late.
    for (const time of ["2026-03-02T12:00:00Z", "2026-03-02T10:00:00Z"]) {
      home.put("metrics-live", event(time));
      await page.getByText(time.includes("T12") ? "1,201 in this run" : "1,202 in this run", { exact: false }).waitFor();
    }
    await page.locator(".stat-bad").getByText("1", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Snapshot" }).click();
    await page.getByRole("tab", { name: "Checkpoints" }).click();
    await page.getByRole("cell", { name: "before-lunch", exact: true }).waitFor();
    await shot("application-running");
    await accessible();
    await open("/streams/applications");
    await page.getByRole("link", { name: "live" }).waitFor();
    await page.getByText("running", { exact: true }).waitFor();
    await shot("applications");
    await accessible();
    const metrics = await page.evaluate(async () => (await fetch("/metrics")).text());
    assert.match(metrics, /glulam_application_records_total\{application="live"\} 1202/);
    assert.match(metrics, /glulam_stream_records_in_total\{stream="metrics-live"\} 1202/);
    await page.getByRole("link", { name: "live" }).click();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Start" }).waitFor();
    await page.getByRole("tab", { name: "Script" }).click();
    await page.getByText("CREATE TABLE windows", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.waitForURL(/\/streams\/applications$/);
    await page.getByText("There is no application yet").waitFor();
  }],

  ["metrics are Prometheus' text", async ({ page, open }) => {
    await open("/");
    await page.getByText("Latest work").waitFor();
    const [type, text] = await page.evaluate(async () => {
      const answer = await fetch("/metrics");
      return [answer.headers.get("content-type"), await answer.text()];
    });
    assert.match(type, /^text\/plain; version=0\.0\.4/);
    const families = new Map();
    for (const line of text.trim().split("\n")) {
      const head = /^# (HELP|TYPE) ([a-z_:][a-z0-9_:]*) (.+)$/.exec(line);
      if (head) {
        if (head[1] === "TYPE") families.set(head[2], head[3]);
        continue;
      }
      const sample = /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (\S+)$/.exec(line);
      assert.ok(sample, `this is no sample: ${line}`);
      const family = families.has(sample[1]) ? sample[1] : sample[1].replace(/_(bucket|sum|count)$/, "");
      assert.ok(families.has(family), `${sample[1]} has no TYPE`);
      assert.ok(!Number.isNaN(Number(sample[3])), line);
    }
    for (const name of ["glulam_info", "glulam_runs", "glulam_http_requests_total", "glulam_stream_records", "process_resident_memory_bytes", "process_cpu_seconds_total"]) assert.ok(families.has(name), `${name} is missing`);
    assert.match(text, /glulam_http_requests_total\{door="console",status="2xx"\} [1-9]/);
  }],
];
