import { describe, expect, it } from "vitest";
import { expand, filled } from "./macros";
import { interval, parse, range, steady } from "./time";

const around = { range: { from: Date.UTC(2026, 2, 2, 8), to: Date.UTC(2026, 2, 2, 9, 30) }, interval: "5m", table: "windowed", column: "fromtimestamp" };

describe("macros are written out in Athena's SQL", () => {
  it.each([
    ["$__timeFilter(t)", "t BETWEEN TIMESTAMP '2026-03-02 08:00:00' AND TIMESTAMP '2026-03-02 09:30:00'"],
    ["$__timeFilter(t, 'yyyy-MM-dd')", "parse_datetime(t,'yyyy-MM-dd') BETWEEN TIMESTAMP '2026-03-02 08:00:00' AND TIMESTAMP '2026-03-02 09:30:00'"],
    ["$__timeFilter(CAST(day AS timestamp))", "CAST(day AS timestamp) BETWEEN TIMESTAMP '2026-03-02 08:00:00' AND TIMESTAMP '2026-03-02 09:30:00'"],
    ["$__timeGroup(t, '15m')", "from_unixtime(floor(to_unixtime(t)/900)*900)"],
    ["$__timeGroup(t, $__interval)", "from_unixtime(floor(to_unixtime(t)/300)*300)"],
    ["$__timeGroupAlias(t, '1h', NULL)", 'from_unixtime(floor(to_unixtime(t)/3600)*3600) AS "time"'],
    ["$__timeGroup($__parseTime(t, 'yyyy'), '1m')", "from_unixtime(floor(to_unixtime(parse_datetime(t,'yyyy'))/60)*60)"],
    ["$__dateFilter(d)", "d BETWEEN date '2026-03-02' AND date '2026-03-02'"],
    ["$__unixEpochFilter(e)", "e BETWEEN 1772438400 AND 1772443800"],
    ["$__timeFrom() $__timeTo()", "TIMESTAMP '2026-03-02 08:00:00' TIMESTAMP '2026-03-02 09:30:00'"],
    ["$__rawTimeFrom()", "'2026-03-02 08:00:00'"],
    ["$__rawTimeTo('yyyy-MM-dd')", "format_datetime(TIMESTAMP '2026-03-02 09:30:00','yyyy-MM-dd')"],
    ["$__parseTime(t)", "parse_datetime(t,'yyyy-MM-dd HH:mm:ss')"],
    ["$__parseTime('2026-03-02 08:00:00')", "TIMESTAMP '2026-03-02 08:00:00'"],
    ["$__unixEpochGroup(e, '5m', 0)", "from_unixtime(floor(e/300)*300)"],
    ["$__unixEpochGroupAlias(e, '5m')", 'from_unixtime(floor(e/300)*300) AS "time"'],
    ["$__unixEpochFrom() $__unixEpochTo()", "1772438400 1772443800"],
    ["$__unixEpochNanoFilter(n)", "n BETWEEN 1772438400000000000 AND 1772443800000000000"],
    ["$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1772438400000000000 1772443800000000000"],
    ["$__timeEpoch(t)", 'to_unixtime(t) AS "time"'],
    ["SELECT $__column FROM $__table", "SELECT fromtimestamp FROM windowed"],
    ["$__interval_ms ${__interval} $__from", "300000 5m 1772438400000"],
    ["SELECT '$' || price", "SELECT '$' || price"],
  ])("%s", (text, expected) => expect(expand(text, around)).toBe(expected));

  it.each([
    ["$__nothing(t)", "no macro $__nothing"],
    ["$__timeFilter(t", "not closed"],
    ["$__timeFilter()", "needs 1 argument"],
    ["$__timeGroup(t, 'often')", ""],
  ])("what is wrong with %s is said", (text, expected) => {
    if (expected) expect(() => expand(text, around)).toThrow(expected);
    // An interval that is no interval falls back to the panel's.
    else expect(expand(text, around)).toContain("/300)*300");
  });
});

describe("what fills gaps", () => {
  it.each([
    ["$__timeGroup(t, '5m')", null],
    ["$__timeGroup(t, '5m', NULL)", { step: 300_000, with: null }],
    ["$__timeGroupAlias(t, '1h', previous)", { step: 3_600_000, with: "previous" }],
    ["$__timeGroup(t, $__interval, 0)", { step: 300_000, with: 0 }],
    ["$__timeGroup(t, '5m', 'yyyy-MM-dd')", null],
    ["$__unixEpochGroup(e, '1m', -1.5)", { step: 60_000, with: -1.5 }],
  ])("%s", (text, expected) => expect(filled(text, around).fill).toEqual(expected));

  it("another word is refused", () => expect(() => filled("$__timeGroup(t, '5m', linear)", around)).toThrow("fills no gaps"));
});

describe("time ranges", () => {
  const now = Date.UTC(2026, 2, 4, 13, 45, 30);
  it.each([
    ["now", false, "2026-03-04T13:45:30.000Z"],
    ["now-6h", false, "2026-03-04T07:45:30.000Z"],
    ["now/d", false, "2026-03-04T00:00:00.000Z"],
    ["now/d", true, "2026-03-04T23:59:59.999Z"],
    ["now-1d/d", false, "2026-03-03T00:00:00.000Z"],
    ["now/w", false, "2026-03-02T00:00:00.000Z"],
    ["now/M", false, "2026-03-01T00:00:00.000Z"],
    ["2026-03-02T00:00:00Z", false, "2026-03-02T00:00:00.000Z"],
    ["2026-03-02 10:00:00", false, "2026-03-02T10:00:00.000Z"],
    ["1772409600000", false, "2026-03-02T00:00:00.000Z"],
  ])("%s", (text, isEnd, expected) => expect(new Date(parse(text, now, isEnd)).toISOString()).toBe(expected));

  it("a range that cannot be read, or runs backwards, is none", () => {
    expect(range("yesterday", "now", now)).toBeNull();
    expect(range("now", "now-1h", now)).toBeNull();
  });

  it("a range that moves stands still for a thousandth of its length", () => {
    const shown = (from: string, to: string, at: number) => {
      const found = steady(from, to, at);
      return found && [new Date(found.from).toISOString(), new Date(found.to).toISOString()];
    };
    expect(shown("now-6h", "now", now + 1)).toEqual(["2026-03-04T07:45:40.000Z", "2026-03-04T13:45:40.000Z"]);
    expect(shown("now-6h", "now", now + 9999)).toEqual(shown("now-6h", "now", now + 1));
    expect(shown("now-6h", "now", now + 10_001)).not.toEqual(shown("now-6h", "now", now + 1));
    expect(shown("now-5m", "now", now)).toEqual(["2026-03-04T13:40:30.000Z", "2026-03-04T13:45:30.000Z"]);
    expect(shown("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", now)).toEqual(["2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z"]);
    expect(shown("now", "now-1h", now)).toBeNull();
  });

  it("the distance of points is a usual one and not below the least", () => {
    const day = { from: now - 86_400_000, to: now };
    expect(interval(day, 400)).toBe("5m");
    expect(interval(day, 400, "1h")).toBe("1h");
    expect(interval({ from: now - 365 * 86_400_000, to: now }, 400)).toBe("1d");
  });
});
