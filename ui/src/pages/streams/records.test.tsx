import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onward, Records } from "./records";
import type { LookFrom, Shard, ShardRead, ShardRecord } from "./types";

const SHARD: Shard = { id: "shardId-000000000000", parent: null, adjacent_parent: null, first_hash: "0", last_hash: "f", created: "", closed: null, records: 0, bytes: 0, records_in: 0, records_out: 0, last_arrival: null };
const record = (number: number): ShardRecord => ({ sequence_number: `4${number}`, arrived: "2026-03-02T10:00:00Z", partition_key: `key-${number}`, data: `{"n":${number}}`, is_text: true, bytes: 7 });

describe("places", () => {
  const found = (records: ShardRecord[], next: string | null = "next"): ShardRead => ({ records, next, behind_millis: 0, children: [] });
  it("move with records, and before they are too old", () => {
    const place = { from: { place: "p" }, since: 1000 };
    expect(onward(place, found([record(1)]), 2000)).toEqual({ from: { place: "next" }, since: 2000 });
    expect(onward(place, found([]), 61_000)).toBe(place);
    expect(onward(place, found([]), 61_001)).toEqual({ from: { place: "next" }, since: 61_001 });
    expect(onward(place, found([], null), 90_000)).toBe(place);
  });
  it("what is no place is asked again, but for the latest", () => {
    expect(onward({ from: "latest", since: 0 }, found([]), 1).from).toEqual({ place: "next" });
    const start = { from: "trim_horizon", since: 0 } as const;
    expect(onward(start, found([]), 90_000)).toBe(start);
  });
});

/** A shard whose places expire after five minutes, as the server's do with Kinesis' limits. */
class Served {
  records: ShardRecord[] = [];
  asked: LookFrom[] = [];
  broken = false;
  answer = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const { from } = JSON.parse(String(init?.body)) as { from: LookFrom };
    this.asked.push(from);
    if (this.broken) return Response.json({ kind: "limit_exceeded", what: "too many reads" }, { status: 429 });
    let index = 0;
    if (from === "latest") index = this.records.length;
    else if (typeof from === "object" && "place" in from) {
      const [at = "", made = ""] = from.place.split("@");
      if (Date.now() - Number(made) > 300_000) return Response.json({ kind: "precondition_failed", what: "the shard iterator has expired" }, { status: 412 });
      index = Number(at);
    } else if (typeof from === "object" && "after_sequence_number" in from) index = this.records.findIndex((one) => one.sequence_number === from.after_sequence_number) + 1;
    else if (typeof from === "object" && "at_timestamp" in from) index = this.records.findIndex((one) => one.arrived >= from.at_timestamp);
    const records = this.records.slice(index);
    const found: ShardRead = { records, next: `${this.records.length}@${Date.now()}`, behind_millis: 0, children: [] };
    return Response.json(found);
  };
}

describe("reading a shard", () => {
  let served: Served;
  beforeEach(() => {
    served = new Served();
    vi.useFakeTimers({ now: Date.parse("2026-03-02T10:00:00Z") });
    vi.stubGlobal("fetch", served.answer);
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const pass = (millis: number) => act(() => vi.advanceTimersByTimeAsync(millis));
  const open = async (...records: ShardRecord[]) => {
    served.records = records;
    const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    render(<QueryClientProvider client={client}><Records stream="s" shards={[SHARD]} /></QueryClientProvider>);
    await pass(10);
  };
  const press = async (name: string) => {
    fireEvent.click(screen.getByRole("button", { name }));
    await pass(10);
  };

  it("follows one that is silent for long", async () => {
    await open(record(1));
    await press("Follow");
    for (let minutes = 0; minutes < 10; minutes += 0.5) await pass(30_000);
    expect(screen.queryByRole("alert")).toBeNull();
    served.records.push(record(2));
    await pass(1000);
    expect(screen.getByText("key-2")).toBeTruthy();
    expect(served.asked.some((from) => typeof from === "object" && "after_sequence_number" in from)).toBe(false);
  });

  it("reads on behind the last record when the place has expired", async () => {
    await open(record(1));
    await pass(20 * 60_000);
    served.records.push(record(2));
    await press("Read on");
    expect(served.asked.at(-1)).toEqual({ after_sequence_number: "41" });
    expect(screen.getByText("key-2")).toBeTruthy();
    expect(screen.getAllByText("key-1")).toHaveLength(1);
  });

  it("of one that nothing had come to, reads what came since", async () => {
    await open();
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "latest" } });
    await pass(10);
    await press("Following");
    await pass(20 * 60_000);
    served.records.push({ ...record(3), arrived: "2026-03-02T10:15:00.000Z" });
    await press("Follow");
    await pass(2000);
    expect(screen.getByText("key-3")).toBeTruthy();
  });

  it("an error is shown beside the records, and reading can be tried again", async () => {
    await open(record(1));
    served.broken = true;
    await press("Read on");
    expect(screen.getByRole("alert").textContent).toContain("too many reads");
    expect(screen.getByText("key-1")).toBeTruthy();
    served.broken = false;
    served.records.push(record(2));
    await press("Try again");
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByText("key-2")).toBeTruthy();
  });
});
