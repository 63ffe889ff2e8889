import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { guess, millis, series } from "./chart";
import { statementAt, statements, underline } from "./language";

describe("statements", () => {
  it.each([
    ["SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["SELECT ';' AS a; -- two; not\nSELECT \"x;y\"", ["SELECT ';' AS a", "-- two; not\nSELECT \"x;y\""]],
    ["/* a; */ SELECT 1;\n\n-- only a comment\n", ["/* a; */ SELECT 1"]],
    ["SELECT 'it''s; fine'", ["SELECT 'it''s; fine'"]],
    ["SELECT 'open; ", ["SELECT 'open;"]],
  ])("%s", (text, expected) => expect(statements(text).map((one) => one.text)).toEqual(expected));

  it("the one at the cursor is run", () => {
    const text = "SELECT 1;\nSELECT 2;\n";
    expect(statementAt(text, 3)).toBe("SELECT 1");
    expect(statementAt(text, 12)).toBe("SELECT 2");
    expect(statementAt(text, text.length)).toBe("SELECT 2");
  });
});

describe("findings are underlined where they stand", () => {
  const finding = (line: number, column: number, length: number) => ({
    diagnosis: { kind: "invalid_input", what: "no such column", hints: ["did you mean `name`?"], place: { in: "source" as const, file: "q", line, column, length, excerpt: "" } },
  });
  it("counts characters, not UTF-16 units", () => {
    const doc = Text.of(["SELECT '😀', nmae", "FROM t"]);
    const [found] = underline([finding(1, 13, 4)], doc);
    expect(found && doc.sliceString(found.from, found.to)).toBe("nmae");
    expect(found?.message).toBe("no such column\ndid you mean `name`?");
  });
  it("a place behind the text marks all of it", () => {
    expect(underline([finding(9, 1, 1)], Text.of(["SELECT"]))[0]).toMatchObject({ from: 0, to: 6 });
  });
});

describe("charts of results", () => {
  const columns = [{ name: "at", type: "timestamp(3)" }, { name: "who", type: "varchar" }, { name: "n", type: "bigint" }];
  it("a time goes across, a number up, a text tells series apart", () => {
    expect(guess(columns)).toEqual({ shape: "line", x: 0, y: [2], by: 1 });
    expect(guess(columns.slice(1))).toEqual({ shape: "bar", x: 0, y: [1], by: null });
    expect(guess(columns.slice(0, 2))).toBeNull();
  });
  it("rows become series", () => {
    const found = series(columns, [["2026-03-02 01:00:00.000", "b", "2"], ["2026-03-02 00:00:00.000", "a", "1"], ["2026-03-02 00:00:00.000", "b", "7"]], { shape: "line", x: 0, y: [2], by: 1 });
    expect(found.map((one) => [one.name, one.points.map(([, y]) => y)])).toEqual([["b", [7, 2]], ["a", [1]]]);
  });
  it("times are UTC unless they say otherwise", () => {
    expect(millis("2026-03-02 00:00:00.000")).toBe(Date.UTC(2026, 2, 2));
    expect(millis("2026-03-02 00:00:00.000 UTC")).toBe(Date.UTC(2026, 2, 2));
    expect(millis("2026-03-02")).toBe(Date.UTC(2026, 2, 2));
  });
});
