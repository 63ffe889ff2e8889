import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Board } from "./board";
import { PANELS } from "./panels";

const served = { title: "First", status: 200 };
const answer = async () =>
  served.status === 200
    ? Response.json({ title: served.title, panels: [], time: { from: "now-1h", to: "now" } }, { headers: { etag: served.title } })
    : Response.json({ kind: "internal", what: "it broke" }, { status: served.status });

describe("a dashboard that is refreshed", () => {
  afterEach(() => {
    cleanup();
    history.replaceState(null, "", "/");
    vi.unstubAllGlobals();
  });

  it("draws nothing again that is as it was", async () => {
    let asked = 0;
    vi.stubGlobal("fetch", async (url: string) => {
      if (!String(url).endsWith("/rows")) return Response.json({ title: "Steady", panels: [{ id: 1, type: "stat", title: "n", targets: [{ refId: "A", rawSQL: "SELECT 1" }] }], time: { from: "2025-01-01", to: "2026-01-01" } });
      asked += 1;
      return Response.json({ columns: [{ name: "n", type: "bigint" }], rows: [["1"]], more: false, bytes_read: asked, millis: 1, again: false });
    });
    let drawn = 0;
    const { stat } = PANELS;
    PANELS.stat = () => {
      drawn += 1;
      return <p>the number</p>;
    };
    try {
      history.replaceState(null, "", "/dashboards/s");
      const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
      render(<QueryClientProvider client={client}><Board name="s" /></QueryClientProvider>);
      await screen.findByText("the number");
      const before = drawn;
      for (const turn of [2, 3]) {
        fireEvent.click(screen.getByRole("button", { name: "Refresh now" }));
        await waitFor(() => expect(asked).toBe(turn));
        await waitFor(() => expect(screen.getByRole("region", { name: "n" }).getAttribute("aria-busy")).toBe("false"));
      }
      expect(drawn).toBe(before);
    } finally {
      if (stat) PANELS.stat = stat;
    }
  });
});

describe("a dashboard that others save while it is open", () => {
  let client: QueryClient;
  beforeEach(async () => {
    Object.assign(served, { title: "First", status: 200 });
    vi.stubGlobal("fetch", answer);
    client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    history.replaceState(null, "", "/dashboards/b?edit=1");
    render(<QueryClientProvider client={client}><Board name="b" /></QueryClientProvider>);
    await screen.findByLabelText("Dashboard title");
  });
  afterEach(() => {
    cleanup();
    history.replaceState(null, "", "/");
    vi.unstubAllGlobals();
  });
  const title = () => screen.getByLabelText<HTMLInputElement>("Dashboard title").value;
  const again = () => act(() => client.refetchQueries());
  const edit = () => fireEvent.click(screen.getByRole("button", { name: "Edit" }));

  it("keeps what was typed", async () => {
    fireEvent.change(screen.getByLabelText("Dashboard title"), { target: { value: "Typed" } });
    served.title = "Second";
    await again();
    await screen.findByRole("heading", { name: "Second" });
    expect(title()).toBe("Typed");
    // Closed and opened anew, what others saved is what is edited.
    edit();
    edit();
    await waitFor(() => expect(title()).toBe("Second"));
  });

  it("closing the editor loses nothing when nobody saved", () => {
    fireEvent.change(screen.getByLabelText("Dashboard title"), { target: { value: "Typed" } });
    edit();
    edit();
    expect(title()).toBe("Typed");
  });

  it("keeps what was typed when it cannot be read for a while", async () => {
    fireEvent.change(screen.getByLabelText("Dashboard title"), { target: { value: "Typed" } });
    served.status = 500;
    await again();
    await screen.findByText("it broke");
    expect(title()).toBe("Typed");
  });
});
