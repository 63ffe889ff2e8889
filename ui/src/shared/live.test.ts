import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listen } from "./live";
import { forget, rate } from "./pulse";

/** What the browser has for events of the server. */
class Source extends EventTarget {
  static last: Source;
  constructor() {
    super();
    Source.last = this;
  }
  close() {}
  tell(at: number, records_in: number) {
    const total = { name: "s", open_shards: 1, records: 0, bytes: 0, records_in, records_out: 0 };
    this.dispatchEvent(new MessageEvent("streams", { data: JSON.stringify({ at, changed: [total], names: ["s"] }) }));
  }
}

describe("news of streams", () => {
  beforeEach(() => {
    forget();
    vi.stubGlobal("EventSource", Source);
    vi.useFakeTimers({ now: 100_000 });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("that come together are as far apart as the server says", () => {
    const stop = listen(new QueryClient());
    Source.last.dispatchEvent(new Event("open"));
    Source.last.tell(99_000, 0);
    vi.setSystemTime(101_000);
    Source.last.tell(100_000, 500);
    vi.setSystemTime(101_005);
    Source.last.tell(101_000, 1000);
    expect(rate("in/s", Date.now())).toBeCloseTo(500, -1);
    stop();
  });

  it("say nothing of the time without a connection", () => {
    const client = new QueryClient();
    const load = vi.spyOn(client, "invalidateQueries");
    const stop = listen(client);
    Source.last.dispatchEvent(new Event("open"));
    Source.last.tell(100_000, 0);
    load.mockClear();
    vi.setSystemTime(101_000);
    Source.last.dispatchEvent(new Event("error"));
    expect(rate("in/s", Date.now())).toBeNull();
    vi.setSystemTime(700_000);
    expect(load).not.toHaveBeenCalled();
    Source.last.dispatchEvent(new Event("open"));
    // What happened meanwhile is loaded.
    expect(load).toHaveBeenCalledWith({ queryKey: ["runs"] });
    Source.last.tell(700_000, 600_000);
    expect(rate("in/s", Date.now())).toBe(0);
    stop();
  });
});
