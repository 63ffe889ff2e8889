import { render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { aim, Link, navigate, parts } from "./router";

describe("links", () => {
  it.each([
    ["/runs/1?a=b", { kind: "own", to: "/runs/1?a=b" }],
    [`${location.origin}/lake`, { kind: "own", to: "/lake" }],
    ["lake", { kind: "own", to: "/lake" }],
    ["https://example.com/x", { kind: "other", to: "https://example.com/x" }],
    ["//example.com/x", { kind: "other", to: `${location.protocol}//example.com/x` }],
    ["javascript:alert(1)", { kind: "none" }],
    ["JavaScript\t:alert(1)", { kind: "none" }],
    [" javascript:alert(1)", { kind: "none" }],
    ["data:text/html,x", { kind: "none" }],
    ["http://[", { kind: "none" }],
  ])("%s", (href, expected) => expect(aim(href)).toEqual(expected));

  it("other sites open beside the console, and scripts nowhere", () => {
    const open = vi.spyOn(window, "open").mockReturnValue(null);
    const before = location.href;
    navigate("https://example.com/");
    expect(open).toHaveBeenCalledWith("https://example.com/", "_blank", "noopener,noreferrer");
    navigate("javascript:alert(1)");
    expect(open).toHaveBeenCalledTimes(1);
    expect(location.href).toBe(before);
    open.mockRestore();
  });

  it("are drawn by where they lead", () => {
    render(<><Link href="/lake">own</Link><Link href="https://example.com">other</Link><Link href="javascript:alert(1)">script</Link></>);
    expect(screen.getByText("own").getAttribute("href")).toBe("/lake");
    expect(screen.getByText("other").getAttribute("rel")).toBe("noopener noreferrer");
    expect(screen.getByText("script").tagName).toBe("SPAN");
  });
});

describe("addresses", () => {
  it.each([
    ["/catalog/a%20b/c", ["catalog", "a b", "c"]],
    ["/catalog/%E0%A4%A/x", ["catalog", "%E0%A4%A", "x"]],
    ["/%", ["%"]],
    ["/", []],
  ])("%s", (path, expected) => expect(parts(path)).toEqual(expected));
});
