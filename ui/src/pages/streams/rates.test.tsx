import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { forget, note } from "../../shared/pulse";
import { Applications } from "./applications";
import { Streams } from "./list";

beforeEach(forget);
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const running = (records: number) => [{ application: { name: "live", status: "running" }, run: { state: "running", counters: { records } } }];
const show = (page: React.ReactNode, client: QueryClient) => render(<QueryClientProvider client={client}>{page}</QueryClientProvider>);

it("what an application read since the last visit is no rate", async () => {
  vi.stubGlobal("fetch", async () => Response.json(running(600_000)));
  const client = new QueryClient();
  client.setQueryData(["applications"], running(0), { updatedAt: Date.now() - 240_000 });
  show(<Applications />, client);
  expect(screen.queryByText(/\/s$/)).toBeNull();
  expect((await screen.findByText(/\/s$/)).textContent).toBe("0/s");
  expect(screen.getByRole("img").getAttribute("aria-label")).toContain("at most 0/s");
});

it("a stream without totals has no rate", async () => {
  const stream = (name: string) => ({ name, arn: "", open_shards: 1, mode: "provisioned", retention_hours: 24, created: "" });
  vi.stubGlobal("fetch", async () => Response.json([stream("told"), stream("untold")]));
  note({ at: 1000, changed: [{ name: "told", open_shards: 1, records: 0, bytes: 0, records_in: 0, records_out: 0 }], names: ["told"] }, Date.now());
  show(<Streams />, new QueryClient());
  const cells = async (name: string) => Array.from((await screen.findByText(name)).closest("tr")?.cells ?? [], (cell) => cell.textContent).slice(4, 6);
  expect(await cells("told")).toEqual(["0/s", "0/s"]);
  expect(await cells("untold")).toEqual(["–", "–"]);
});
