import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Frame } from "./frame";
import { PanelCard } from "./panel";
import { PANELS, type PanelProps } from "./panels";

const drawn: Frame[][] = [];
function Recorder({ frames }: PanelProps) {
  drawn.push(frames);
  return <p>{String(frames[0]?.fields[0]?.values[0])}</p>;
}

const { stat } = PANELS;
beforeEach(() => {
  PANELS.stat = Recorder;
});
afterEach(() => {
  if (stat) PANELS.stat = stat;
  cleanup();
  vi.unstubAllGlobals();
});

test("a refresh without news draws nothing again", async () => {
  let value = 1;
  let asked = 0;
  vi.stubGlobal("fetch", () => {
    asked += 1;
    const body = `{"columns":[{"name":"n","type":"bigint"}],"rows":[["${value}"]],"more":false,"bytes_read":${asked},"millis":${asked},"again":false}`;
    return Promise.resolve(new Response(body, { status: 200, headers: { "content-type": "application/json" } }));
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const panel = { type: "stat", title: "n", targets: [{ refId: "A", rawSQL: "SELECT n FROM t" }] };
  const variables = { list: [], options: {}, chosen: {} } as never;
  const range = { from: 0, to: 1000 };
  const own = {};
  const card = (tick: number) => (
    <QueryClientProvider client={client}>
      <PanelCard panel={panel} top={0} range={range} variables={variables} own={own} annotations={[]} tick={tick} />
    </QueryClientProvider>
  );
  const { rerender } = render(card(0));
  await screen.findByText("1");
  const first = drawn.at(-1);
  rerender(card(1));
  await waitFor(() => expect(asked).toBe(2));
  await waitFor(() => expect(screen.getByRole("region").getAttribute("aria-busy")).toBe("false"));
  expect(drawn.at(-1)).toBe(first);
  value = 2;
  rerender(card(2));
  await screen.findByText("2");
  expect(drawn.at(-1)).not.toBe(first);
});
