/** A console that others can reach: keys with policies, guesses, tokens, and what is for this machine's user alone. */

import assert from "node:assert/strict";
import { Home } from "./home.mjs";

const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["glulam:*", "athena:*"], Resource: "*" },
    { Effect: "Allow", Action: ["s3:ListAllMyBuckets", "kinesis:ListStreams"], Resource: "*" },
    { Effect: "Allow", Action: "s3:*", Resource: ["arn:aws:s3:::open", "arn:aws:s3:::open/*"] },
    { Effect: "Allow", Action: "s3:*", Resource: ["arn:aws:s3:::half", "arn:aws:s3:::half/*"] },
    { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::half/private/*" },
    { Effect: "Allow", Action: "glue:Get*", Resource: ["arn:aws:glue:*:*:table/pets/open", "arn:aws:glue:*:*:database/*"] },
  ],
});

const ALL = JSON.stringify({ Statement: { Effect: "Allow", Action: "*", Resource: "*" } });

export const accessTests = [
  ["a key may do what its policy says, and no more", async ({ page, shot, accessible, expected }) => {
    const home = new Home();
    try {
      home.run("sql", "SELECT 1");
      for (const bucket of ["open", "closed"]) home.file(bucket, `${bucket}/pets.csv`, "name,age\nrex,3\n");
      for (const key of ["pets.csv", "private/pets.csv"]) home.file("half", key, "name,age\nrex,3\n");
      home.run("crawl", "s3://open/", "s3://closed/", "--database", "pets");
      home.run("sql", "SELECT * FROM pets.closed");
      const served = await home.up("--console", "0.0.0.0:0", "--set", "aws.keys.owner.secret_access_key=s3cret-owner",
        "--set", "aws.keys.builder.secret_access_key=s3cret-builder", "--set", `aws.keys.builder.policy=${ALL}`,
        "--set", "aws.keys.reader.secret_access_key=s3cret-reader", "--set", `aws.keys.reader.policy=${POLICY}`, "--set", "console.metrics_token=scrape-me");
      const url = served.replace("0.0.0.0", "127.0.0.1");
      const tables = home.tables();
      assert.ok(tables.includes("pets.open") && tables.includes("pets.closed"), tables);

      // Metrics: with the token, not without.
      assert.equal((await fetch(`${url}/metrics`)).status, 403);
      assert.equal((await fetch(`${url}/metrics`, { headers: { authorization: "Bearer wrong-one" } })).status, 403);
      assert.equal((await fetch(`${url}/metrics`, { headers: { authorization: "Bearer scrape-me" } })).status, 200);

      await page.goto(url, { waitUntil: "domcontentloaded" });
      await page.getByLabel(/key/i).first().fill("reader");
      await page.getByLabel(/secret/i).fill("s3cret-reader");
      await accessible();
      await shot("login");
      await page.getByRole("button", { name: /log in/i }).click();
      await page.getByText("Stored", { exact: false }).first().waitFor();
      const call = (path, method, body) => page.evaluate(async ([at, how, what]) => {
        const answer = await fetch(`/api${at}`, { method: how, headers: { "x-glulam": "test" }, body: what === null ? undefined : JSON.stringify(what) });
        return [answer.status, await answer.text()];
      }, [path, method, body ?? null]);
      const query = (sql) => ["/rows", "POST", { sql, database: "pets" }];
      const run = (name, body) => [`/do/${name}`, "POST", body];
      const file = (path) => (path.startsWith("s3:") ? { Lake: path } : { Disk: path });
      const convert = (from, to) => run("start-convert", { request: { input: { paths: [file(from)], exclusions: [], recurse: true }, format: { name: null, separator: null, quote: null, escape: null, header: null, multiline: false, json_path: null, lines: null, as_strings: false, strict: false }, select: null, output: { at: file(to), format: null, compression: null, partition_by: [], header: true, delimiter: null, max_file_bytes: null, overwrite: false } } });
      for (const [status, what] of [
        [200, query("SELECT * FROM open")],
        [403, query("SELECT * FROM closed")],
        [403, query("SELECT * FROM open WHERE name IN (SELECT name FROM closed)")],
        [403, run("start-query", { text: "SELECT * FROM closed", source_name: "q", database: "pets", parameters: [] })],
        [403, run("start-query", { text: "DROP TABLE open", source_name: "q", database: "pets", parameters: [] })],
        [200, run("start-query", { text: "SELECT * FROM open", source_name: "q", database: "pets", parameters: [] })],
        [200, run("describe-table", { table: "pets.open", versions: false })],
        [403, run("describe-table", { table: "pets.closed", versions: false })],
        [403, run("check-sql", { texts: [{ name: "q", text: "SELECT nam FROM closed" }], database: "pets" })],
        [200, ["/objects?uri=s3://open/", "GET"]],
        [403, ["/objects?uri=s3://closed/", "GET"]],
        [200, ["/object?uri=s3://open/open/pets.csv", "GET"]],
        [403, ["/object?uri=s3://closed/closed/pets.csv", "GET"]],
        [403, ["/object?uri=s3://closed/closed/pets.csv", "DELETE"]],
        [403, ["/preview", "POST", { uri: "s3://closed/closed/pets.csv" }]],
        [200, ["/preview", "POST", { uri: "s3://half/pets.csv" }]],
        [403, ["/preview", "POST", { uri: "s3://half/private/pets.csv" }]],
        [403, ["/preview", "POST", { uri: "s3://half/private" }]],
        [403, ["/preview", "POST", { uri: "s3://half/?rivate/pets.csv" }]],
        [403, ["/preview", "POST", { uri: "s3://half/" }]],
        [403, convert("s3://half/", "s3://open/half.csv")],
        [403, ["/buckets/another", "PUT"]],
        [403, ["/dashboards", "GET"]],
        [200, run("list-streams", {})],
        [403, run("create-stream", { name: "s", shards: 1, retention_hours: null })],
        [403, convert("/etc/passwd", "s3://open/passwd.csv")],
        [403, convert("s3://open/open/pets.csv", "/tmp/pets.csv")],
        [403, run("start-crawl", { spec: { targets: [{ kind: "local", path: "/etc" }], database: "pets" } })],
        [403, run("start-script", { script: { file: "/tmp/a.py", name: "a", folder: "/tmp", arguments: [] } })],
        [200, run("list-runs", { kind: null, states: [], limit: 5 })],
      ]) {
        const [found, text] = await call(...what);
        assert.equal(found, status, `${what[1]} ${what[0]} ${JSON.stringify(what[2])}: ${text.slice(0, 300)}`);
        if (status === 403) assert.match(text, /"kind":"denied"/);
      }
      // The rows of a query that somebody else ran.
      const [, listed] = await call("/do/list-runs", "POST", { kind: "query", states: [], limit: 10 });
      const kept = JSON.parse(listed).find((one) => one.arguments.sql.includes("pets.closed"));
      assert.equal((await call(`/results/${kept.id}`, "GET"))[0], 403);
      assert.equal((await call(`/results/${kept.id}/file?format=csv`, "GET"))[0], 403);
      const own = JSON.parse(listed).find((one) => one.arguments.sql === "SELECT * FROM open");
      await call("/do/follow-run", "POST", { id: own.id, seen: own.revision, wait_millis: 10_000 });
      assert.equal((await call(`/results/${own.id}`, "GET"))[0], 200);
      expected(/403|404/);

      // A policy that allows everything does not reach the server's disk by way of a script.
      const sent = (path, body, cookie = "") => fetch(`${url}/api${path}`, { method: "POST", headers: { "x-glulam": "test", cookie }, body: JSON.stringify(body) });
      const cookie = (await sent("/login", { id: "builder", secret: "s3cret-builder" })).headers.get("set-cookie").split(";")[0];
      const script = { name: "j.json", text: JSON.stringify({ Name: "j", Role: "r", Command: { Name: "pythonshell", ScriptLocation: "/etc/passwd" } }) };
      const request = { name: null, definition: [script.text, script.name], arguments: {} };
      for (const [name, body] of [["save-job", { definition: script }], ["check-jobs", { texts: [script] }], ["start-job", { request }], ["start-job-preview", { request, rows: 3 }]]) {
        const answer = await sent(`/do/${name}`, body, cookie);
        assert.equal(answer.status, 403, `${name}: ${await answer.text()}`);
      }
      assert.equal((await sent("/do/list-jobs", {}, cookie)).status, 200);

      // Guesses: ten wrong ones, then nobody gets in from here for a while.
      const guess = (secret) => fetch(`${url}/api/login`, { method: "POST", headers: { "x-glulam": "test" }, body: JSON.stringify({ id: "owner", secret }) });
      const statuses = await Promise.all(Array.from({ length: 10 }, async (_, n) => (await guess(`wrong-${n}`)).status));
      assert.deepEqual(new Set(statuses), new Set([403]));
      assert.equal((await guess("s3cret-owner")).status, 429);
    } finally {
      await home.close();
    }
  }],
];
