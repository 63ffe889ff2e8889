import { beforeEach, describe, expect, it } from "vitest";
import { add, forget, note, rate, rates, SECONDS } from "./pulse";

const totals = (name: string, records_in: number, records_out = 0) => ({ name, open_shards: 1, records: records_in, bytes: 0, records_in, records_out });

describe("rates", () => {
  beforeEach(forget);

  it("a first total is no rate", () => {
    add("in/s", 10_000, 5000);
    expect(rates("in/s", 10_000)).toEqual(new Array(SECONDS).fill(0));
  });

  it("what rose within a second rose so fast", () => {
    add("in/s", 10_000, 0);
    add("in/s", 11_000, 300);
    add("in/s", 12_000, 900);
    expect(rates("in/s", 12_000).slice(-3)).toEqual([0, 300, 600]);
    expect(rate("in/s", 12_000)).toBe(600);
    expect(rate("in/s", 15_000)).toBe(0);
  });

  it("after a silence, a rise is not spread over all of it", () => {
    add("in/s", 10_000, 0);
    add("in/s", 40_000, 150);
    const found = rates("in/s", 40_000);
    expect(found.at(-1)).toBe(100);
    expect(found.slice(0, -2).every((one) => one === 0)).toBe(true);
  });

  it("a stream that was made anew begins at nothing", () => {
    note({ changed: [totals("s", 500)], names: ["s"] }, 1000);
    note({ changed: [totals("s", 2)], names: ["s"] }, 2000);
    note({ changed: [totals("s", 12)], names: ["s"] }, 3000);
    expect(rate("in/s", 3000)).toBe(10);
  });
});
