import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { onDemand } from "./on-demand";

afterEach(cleanup);

const part = { default: ({ name }: { name: string }) => <p>here is {name}</p> };

it("what is here already is shown at once, and asked for once", async () => {
  const load = vi.fn(() => Promise.resolve(part));
  const Part = onDemand(load, <p>wait</p>);
  await Promise.all([Part.load(), Part.load()]);
  render(<Part name="it" />);
  expect(screen.getByText("here is it")).toBeTruthy();
  expect(load).toHaveBeenCalledTimes(1);
});

it("what is not here yet is shown when it is", async () => {
  let come: (found: typeof part) => void = () => undefined;
  const Part = onDemand(() => new Promise<typeof part>((done) => { come = done; }), <p>wait</p>);
  render(<Part name="it" />);
  expect(screen.getByText("wait")).toBeTruthy();
  come(part);
  expect(await screen.findByText("here is it")).toBeTruthy();
});

it("what did not come is asked for again", async () => {
  let turn = 0;
  const Part = onDemand((): Promise<typeof part> => {
    turn += 1;
    return turn === 1 ? Promise.reject<typeof part>(new Error("lost")) : Promise.resolve(part);
  }, null);
  await expect(Part.load()).rejects.toThrow("lost");
  await Part.load();
  render(<Part name="it" />);
  expect(screen.getByText("here is it")).toBeTruthy();
});
