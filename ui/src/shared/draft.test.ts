import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { useDraft } from "./draft";

afterEach(cleanup);

function draft() {
  const shown = renderHook(({ kept }) => useDraft(kept), { initialProps: { kept: "one" } });
  return {
    now: () => [shown.result.current.text, shown.result.current.isChangedElsewhere],
    type: (text: string) => act(() => shown.result.current.setText(text)),
    saved: (text: string) => act(() => shown.result.current.saved(text)),
    take: () => act(() => shown.result.current.take()),
    tell: (kept: string) => shown.rerender({ kept }),
  };
}

describe("a draft", () => {
  it("stays when others change what is kept, and takes theirs when asked", () => {
    const { now, type, take, tell } = draft();
    type("mine");
    tell("theirs");
    expect(now()).toEqual(["mine", true]);
    type("mine, longer");
    expect(now()).toEqual(["mine, longer", true]);
    take();
    expect(now()).toEqual(["theirs", false]);
  });

  it("in which nothing was typed follows what is kept", () => {
    const { now, tell } = draft();
    tell("theirs");
    expect(now()).toEqual(["theirs", false]);
  });

  it("that was saved is no news, even when more was typed since", () => {
    const { now, type, saved, tell } = draft();
    type("mine");
    saved("mine");
    type("mine, longer");
    expect(now()).toEqual(["mine, longer", false]);
    tell("mine");
    expect(now()).toEqual(["mine, longer", false]);
    // Back to what it once was is a change by others, too.
    tell("one");
    expect(now()).toEqual(["mine, longer", true]);
  });

  it("that was saved and then typed back stays as it was typed", () => {
    const { now, type, saved, tell } = draft();
    type("mine");
    saved("mine");
    type("one");
    tell("mine");
    expect(now()).toEqual(["one", false]);
  });

  it("that was saved, and changed by others at once, says so", () => {
    const { now, type, saved, tell } = draft();
    type("mine");
    saved("mine");
    tell("theirs");
    expect(now()).toEqual(["mine", true]);
  });
});
