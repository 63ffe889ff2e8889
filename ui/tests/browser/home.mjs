/** A data directory with the demo's data, the server on it, and a browser. */

import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");
const monitoring = join(root, "examples/monitoring");

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const found = process.env.GLULAM ?? join(target, "debug/glulam");
  if (!existsSync(found)) throw new Error(`there is no binary at ${found}; build it, or name it by GLULAM`);
  return found;
}

/** A task of the demo with fewer rows. */
function smaller(folder, path, iterations) {
  const task = readFileSync(join(root, "examples", path), "utf8");
  const file = join(folder, path.replaceAll("/", "-"));
  writeFileSync(file, task.replace(/"numberOfIterations": *\d+/, `"numberOfIterations": ${iterations}`));
  return file;
}

/** Events of one hour, a JSON object a line: two services, one event a second. */
export function eventLines(count, from = "2026-03-02T10:00:00.500Z") {
  return Array.from({ length: count }, (_, second) => JSON.stringify({
    componentName: ["order-service", "user-service"][second % 2], metricName: "cpu", unit: "percent", value: second % 100,
    publicationTimestamp: new Date(Date.parse(from) + second * 1000).toISOString(),
  })).join("\n") + "\n";
}

export class Home {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "glulam-console-"));
    this.data = join(this.folder, "data");
    this.glulam = binary();
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("GLULAM"));
    this.environment = { ...Object.fromEntries(kept), GLULAM_DATA: this.data, NO_COLOR: "1" };
  }

  run(...words) {
    return execFileSync(this.glulam, words, { cwd: this.folder, env: this.environment, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 300_000 });
  }

  /** Puts a text as a record into a stream; the server does it. */
  put(stream, text) {
    const file = join(this.folder, "record.json");
    writeFileSync(file, `${text}\n`);
    this.run("stream", "put", stream, file);
  }

  /** Drops a file into a bucket's folder. */
  file(bucket, key, text) {
    const path = join(this.data, "buckets", bucket, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  tables() {
    return this.run("tables");
  }

  /** Two days of the monitoring demo, its jobs and its dashboards. */
  fill() {
    const job = (name) => join(root, "examples", name, "job.yaml");
    this.run("gen", smaller(this.folder, "monitoring/tasks/windowed-metrics.json", 576), "--output", "s3://metrics-csv/");
    this.run("gen", smaller(this.folder, "metrics-plain/tasks/plain-metrics.json", 400), "--output", "s3://single-csv/");
    this.run("gen", smaller(this.folder, "monitoring/tasks/access-logs.json", 300), "--output", "s3://access-logs/");
    this.run("crawl", "s3://metrics-csv/", "s3://single-csv/", "s3://access-logs/", "--database", "monitoring");
    this.run("job", "create", job("metrics-windowed"));
    this.run("job", "create", job("metrics-plain"));
    this.run("job", "run", job("metrics-windowed"), "--input", "s3://metrics-csv/", "--output", "s3://curated/windowed/");
    this.run("job", "run", job("metrics-plain"), "--input", "s3://single-csv/", "--output", "s3://curated/windows/");
    this.run("job", "run", job("traffic-report"), "--input", "s3://access-logs/", "--output", "s3://curated/traffic/", "--from", "2026-03-02T00:00:00", "--to", "2026-03-09T00:00:00");
    this.run("crawl", "s3://curated/", "--database", "curated");
    this.run("stream", "create", "metrics-live", "--shards", "2");
    const events = join(this.folder, "events.json");
    writeFileSync(events, eventLines(1200));
    this.run("stream", "put", "metrics-live", events);
    const dashboards = join(this.data, "buckets/dashboards");
    mkdirSync(dashboards, { recursive: true });
    cpSync(join(monitoring, "dashboards"), dashboards, { recursive: true });
  }

  /** Starts the server; answers the console's address. */
  async up(...more) {
    this.server = spawn(this.glulam, ["up", "--aws", "off", "--pg", "off", ...(more.length > 0 ? more : ["--console", "127.0.0.1:0"])], { cwd: this.folder, env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    this.server.stderr.on("data", (piece) => { said += piece; });
    this.url = await new Promise((done, failed) => {
      let text = "";
      this.server.stdout.on("data", (piece) => {
        text += piece;
        const found = /console=(http:\S+)/.exec(text);
        if (found) done(found[1]);
      });
      this.server.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
    });
    return this.url;
  }

  async close() {
    if (this.server && this.server.exitCode === null) {
      const ended = new Promise((done) => this.server.on("exit", done));
      this.server.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
