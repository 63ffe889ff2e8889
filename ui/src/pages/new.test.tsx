import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NewApplication } from "./streams/script";
import Jobs from "./jobs";

/** What is kept, by the operation that shows it; and what was saved. */
const kept: Record<string, string[]> = { "show-job": ["my-job"], "show-application": ["live"] };
let saved: string[] = [];
const answer = async (url: string, init: RequestInit) => {
  const operation = url.replace("/api/do/", "");
  const body = JSON.parse(String(init.body)) as { name?: string };
  if (operation.startsWith("save-")) saved.push(operation);
  if (operation.startsWith("show-") && !kept[operation]?.includes(body.name ?? "")) return Response.json({ kind: "not_found", what: "it is not there" }, { status: 404 });
  return Response.json(operation === "save-job" ? ["name", true] : []);
};

describe("what is new replaces nothing", () => {
  beforeEach(() => {
    saved = [];
    // The editor measures its text, which has no size here.
    Range.prototype.getClientRects ??= () => [] as unknown as DOMRectList;
    vi.stubGlobal("fetch", answer);
    history.replaceState(null, "", "/jobs");
  });
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
    history.replaceState(null, "", "/");
  });
  const show = (page: React.ReactNode) => render(<QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>{page}</QueryClientProvider>);

  it("a job", async () => {
    show(<Jobs />);
    fireEvent.click(screen.getByRole("button", { name: "Add a job" }));
    const keep = () => fireEvent.click(screen.getByText("Keep it"));
    keep();
    await screen.findByText("there is a job `my-job` already");
    expect(saved).toEqual([]);
    fireEvent.change(screen.getByLabelText("or its text"), { target: { value: "Name: another\nCodeGenConfigurationNodes: {}\n" } });
    keep();
    await waitFor(() => expect(saved).toEqual(["save-job"]));
  });

  it("an application", async () => {
    show(<NewApplication />);
    const keep = async (name: string) => {
      fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: name } });
      fireEvent.click(screen.getByText("Keep it"));
    };
    await keep("live");
    await screen.findByText("there is an application `live` already");
    expect(saved).toEqual([]);
    await keep("another");
    await waitFor(() => expect(saved).toEqual(["save-application"]));
  });
});
