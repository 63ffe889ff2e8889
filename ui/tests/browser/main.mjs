/**
 * The console in a real browser against the real binary: `node tests/browser/main.mjs [WORDS]` runs the tests whose
 * names have all the words; `a|b` is one of two. Screenshots go to `tests/browser/shots`.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Home } from "./home.mjs";
import { tests } from "./tests.mjs";

const shots = join(import.meta.dirname, "shots");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const words = process.argv.slice(2).map((word) => word.toLowerCase());
const wanted = tests.filter(([name]) => words.every((word) => word.split("|").some((one) => name.toLowerCase().includes(one))));
mkdirSync(shots, { recursive: true });

const home = new Home();
let browser;
let failed = 0;
try {
  const begun = performance.now();
  home.fill();
  // CONSOLE_PAGES is the address of a development server before this one: pages are tested without building the binary.
  const pages = process.env.CONSOLE_PAGES;
  const served = await home.up(...(pages ? ["--console", "127.0.0.1:4567"] : []));
  const url = pages ?? served;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  console.log(`data, server and browser: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  for (const [name, test] of wanted) {
    const start = performance.now();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(Number(process.env.BROWSER_TIMEOUT ?? 30_000));
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(`${message.text()} ${message.location().url}`));
    const tools = {
      home, url, page, context,
      open: (path) => page.goto(url + path, { waitUntil: "domcontentloaded" }),
      shot: (title) => page.screenshot({ path: join(shots, `${title}.png`) }),
      /** Errors of the page that a test expects. */
      expected: (pattern) => { for (let at = errors.length - 1; at >= 0; at -= 1) if (pattern.test(errors[at])) errors.splice(at, 1); },
      /** No grave fault of accessibility. */
      async accessible() {
        await page.evaluate(axe);
        const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        const grave = found.violations.filter((one) => one.impact === "serious" || one.impact === "critical");
        if (grave.length > 0) {
          throw new Error(grave.map((one) => `${one.id}: ${one.help}\n${one.nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 160)} ${node.failureSummary?.split("\n")[1] ?? ""}`).join("\n")}`).join("\n"));
        }
      },
    };
    try {
      await test(tools);
      if (errors.length > 0) throw new Error(`the page said: ${errors.join("\n")}`);
      console.log(`ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}\n${error instanceof Error ? error.message : error}${errors.length > 0 ? `\nthe page said: ${errors.join("\n")}` : ""}`);
      await page.screenshot({ path: join(shots, `failed-${name.replace(/\W+/g, "-")}.png`) }).catch(() => undefined);
    }
    await context.close();
  }
} finally {
  await browser?.close();
  await home.close();
}
console.log(failed === 0 ? `${wanted.length} tests passed` : `${failed} of ${wanted.length} tests failed`);
process.exitCode = failed === 0 ? 0 : 1;
