import { beforeEach, describe, expect, it } from "vitest";
import { add, cut, forget, note, rate, rates, SECONDS } from "./pulse";

const totals = (name: string, records_in: number, records_out = 0) => ({ name, open_shards: 1, records: records_in, bytes: 0, records_in, records_out });
const told = (at: number, ...changed: ReturnType<typeof totals>[]) => ({ at, changed, names: changed.map((one) => one.name) });

describe("rates", () => {
  beforeEach(forget);

  it("a first total is no rate", () => {
    add("in/s", 10_000, 5000);
    expect(rates("in/s", 10_000)).toEqual(new Array(SECONDS).fill(0));
    expect(rate("in/s", 10_000)).toBe(0);
  });

  it("without a total, none is known", () => {
    expect(rate("in/s", 10_000)).toBeNull();
  });

  it("what rose within a second rose so fast; the rate is the mean of two", () => {
    add("in/s", 10_000, 0);
    add("in/s", 11_000, 300);
    expect(rate("in/s", 11_000)).toBe(300);
    add("in/s", 12_000, 900);
    expect(rates("in/s", 12_000).slice(-3)).toEqual([0, 300, 600]);
    expect(rate("in/s", 12_000)).toBe(450);
    expect(rate("in/s", 16_000)).toBe(0);
  });

  it("a steady rate is steady, whenever it is looked at", () => {
    for (let second = 0; second <= 10; second += 1) add("in/s", second * 1010, second * 1010);
    for (const late of [0, 5, 400, 1100, 1500]) {
      expect(rate("in/s", 10_100 + late)).toBeCloseTo(1000);
      for (const one of rates("in/s", 10_100 + late).slice(-9)) expect(one).toBeCloseTo(1000);
    }
  });

  it("two looks close to each other are no burst", () => {
    add("in/s", 10_000, 0);
    add("in/s", 11_000, 1000);
    add("in/s", 11_005, 1050);
    expect(rate("in/s", 11_005)).toBeCloseTo(1050 / 1.005);
    expect(Math.max(...rates("in/s", 11_005))).toBeLessThan(1100);
  });

  it("after a silence, a rise is not spread over all of it", () => {
    add("in/s", 10_000, 0);
    add("in/s", 40_000, 150);
    const found = rates("in/s", 40_000);
    expect(found.at(-1)).toBe(100);
    expect(found.slice(0, -2).every((one) => one === 0)).toBe(true);
    expect(rate("in/s", 40_000)).toBe(75);
  });

  it("a stream that was made anew begins at nothing", () => {
    note(told(1000, totals("s", 500)), 1000);
    note(told(2000, totals("s", 2)), 2000);
    note(told(3000, totals("s", 12)), 3000);
    expect(rate("in/s", 3000)).toBe(10);
  });

  it("what rose while nobody looked is no rate", () => {
    add("app/a", 10_000, 0);
    add("app/a", 11_000, 1000);
    cut("app/");
    expect(rate("app/a", 12_000)).toBeNull();
    add("app/a", 611_000, 601_000);
    expect(rate("app/a", 611_000)).toBe(0);
    expect(Math.max(...rates("app/a", 611_000))).toBe(0);
    add("app/a", 612_000, 602_000);
    expect(rate("app/a", 612_000)).toBe(1000);
    expect(Math.max(...rates("app/a", 612_000))).toBe(1000);
  });

  it("a short absence leaves what was known", () => {
    for (let second = 0; second <= 5; second += 1) add("app/a", second * 1000, second * 1000);
    cut("app/");
    add("app/a", 6000, 9000);
    add("app/a", 7000, 10_000);
    expect(rates("app/a", 7000).slice(-7)).toEqual([1000, 1000, 1000, 1000, 1000, 0, 1000]);
    expect(rate("app/a", 7000)).toBe(1000);
  });
});

describe("the server's time", () => {
  beforeEach(forget);

  it("counts, not when events come", () => {
    // The server's clock is an hour behind this one; the second event comes late, the third right behind it.
    const ahead = 3_600_000;
    note(told(1000, totals("s", 0)), ahead + 1020);
    note(told(2000, totals("s", 500)), ahead + 2990);
    note(told(3000, totals("s", 1000)), ahead + 2995 + 25);
    expect(rate("in/s", ahead + 3020)).toBe(500);
    expect(rates("in/s", ahead + 3020).slice(-3)).toEqual([0, 500, 500]);
    expect(rate("in/s", ahead + 9020)).toBe(0);
  });

  it("a server behind a new connection may have another clock", () => {
    note(told(900_000, totals("s", 10)), 900_000);
    cut();
    expect(rate("in/s", 900_500)).toBeNull();
    note(told(300_000, totals("s", 5000)), 901_000);
    expect(rate("in/s", 901_000)).toBe(0);
    note(told(301_000, totals("s", 5100)), 902_000);
    expect(rate("in/s", 902_000)).toBe(100);
  });

  it("a stream that is not told of any more has no rate", () => {
    note(told(1000, totals("s", 10), totals("t", 10)), 1000);
    note(told(2000, totals("t", 20)), 2000);
    expect(rate("in/s", 2000)).toBeNull();
    expect(rate("in/t", 2000)).toBe(10);
  });
});
