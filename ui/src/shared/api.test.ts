import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, mustBeFree } from "./api";

afterEach(() => vi.unstubAllGlobals());

const ask = async (status: number, answer: object) => {
  vi.stubGlobal("fetch", async () => Response.json(answer, { status }));
  return mustBeFree("show-job", "j", "there is a job `j` already", "give another name").then(() => null, (error: unknown) => error as ApiError);
};

describe("a new name", () => {
  it("is free when nothing of it is found", async () => {
    expect(await ask(404, { kind: "not_found", what: "no job" })).toBeNull();
  });
  it("is refused when it is taken", async () => {
    const error = await ask(200, [{}, {}]);
    expect(error?.diagnosis).toEqual({ kind: "already_exists", what: "there is a job `j` already", hints: ["give another name"] });
  });
  it("is not taken for free when that cannot be told", async () => {
    expect((await ask(403, { kind: "denied", what: "not for you" }))?.diagnosis.what).toBe("not for you");
  });
});
