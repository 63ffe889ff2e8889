import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Settings } from "../pages/jobs/settings";
import { bytes, duration } from "./format";
import { DiagnosisBox, StateBadge, Tabs } from "./ui";

afterEach(cleanup);

describe("parts", () => {
  it("a diagnosis says what, where, why and what to do", () => {
    render(<DiagnosisBox diagnosis={{
      kind: "invalid_input", what: "there is no column `nmae`", why: "the table has other columns", hints: ["did you mean `name`?"],
      place: { in: "source", file: "q.sql", line: 3, column: 8, length: 4, excerpt: "SELECT nmae" },
    }} />);
    const alert = screen.getByRole("alert");
    for (const part of ["there is no column `nmae`", "q.sql:3:8", "SELECT nmae", "       ^^^^", "the table has other columns", "did you mean `name`?"]) {
      expect(alert.textContent).toContain(part);
    }
  });

  it("states are words, not only colours", () => {
    render(<StateBadge state="timed_out" />);
    expect(screen.getByText("timed out")).toBeTruthy();
  });

  it("arrow keys move between tabs", () => {
    const chosen = vi.fn();
    render(<Tabs tabs={[["a", "A"], ["b", "B"]]} at="a" onChange={chosen} label="tabs" />);
    fireEvent.keyDown(screen.getByRole("tablist"), { key: "ArrowRight" });
    expect(chosen).toHaveBeenCalledWith("b");
    fireEvent.keyDown(screen.getByRole("tablist"), { key: "ArrowLeft" });
    expect(chosen).toHaveBeenLastCalledWith("b");
  });

  it("numbers are short", () => {
    expect([bytes(0), bytes(999), bytes(1500), bytes(25_000_000)]).toEqual(["0 B", "999 B", "1.5 KB", "25 MB"]);
    expect([duration(12), duration(1500), duration(65_000), duration(3_720_000)]).toEqual(["12 ms", "1.5 s", "1 min 5 s", "1 h 2 min"]);
  });
});

describe("a node's form", () => {
  it("gives back values of the kind that was there", () => {
    const changed = vi.fn();
    const node = { id: "n", kind: "S3CsvSource", name: "Files", inputs: [], settings: { Name: "Files", Paths: ["s3://a/"], WithHeader: true, Limit: 5, Deep: { a: 1 } } };
    render(<Settings node={node} onChange={changed} onRemove={() => undefined} />);
    const edit = (label: RegExp, value: string) => {
      const field = screen.getByLabelText(label);
      fireEvent.change(field, { target: { value } });
      fireEvent.blur(field);
    };
    edit(/^Paths/, "s3://a/\n s3://b/ \n");
    expect(changed).toHaveBeenLastCalledWith("Paths", ["s3://a/", "s3://b/"]);
    edit(/^Limit/, "12");
    expect(changed).toHaveBeenLastCalledWith("Limit", 12);
    fireEvent.click(screen.getByLabelText("With Header"));
    expect(changed).toHaveBeenLastCalledWith("WithHeader", false);
    const calls = changed.mock.calls.length;
    edit(/^Deep/, "{not json");
    expect(changed.mock.calls.length).toBe(calls);
    expect(screen.getByText(/JSON/)).toBeTruthy();
  });
});
