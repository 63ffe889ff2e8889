/** Requests to the server. Each change carries the header that pages of other sites cannot send. */

import { QueryClient } from "@tanstack/react-query";
import type { Diagnosis, Rows, Run } from "./types";
import { isFinal } from "./types";

export class ApiError extends Error {
  readonly diagnosis: Diagnosis;
  readonly status: number;

  constructor(diagnosis: Diagnosis, status: number) {
    super(diagnosis.what);
    this.diagnosis = diagnosis;
    this.status = status;
  }
}

/** What any thrown thing says to a person. */
export function diagnosisFrom(error: unknown): Diagnosis {
  if (error instanceof ApiError) return error.diagnosis;
  if (error instanceof TypeError) {
    return {
      kind: "unavailable",
      what: "the server does not answer",
      hints: ["look whether `glulam up` still runs", "this page goes on by itself when it is back"],
    };
  }
  return { kind: "internal", what: error instanceof Error ? error.message : String(error) };
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => !(error instanceof ApiError) && count < 3,
    },
  },
});

/** Sends a request; an answer that is no success becomes an [[ApiError]]. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (init.method && init.method !== "GET") headers.set("x-glulam", "console");
  const response = await fetch(`/api${path}`, { credentials: "same-origin", ...init, headers });
  if (response.ok) return response;
  const text = await response.text();
  let diagnosis: Diagnosis;
  try {
    diagnosis = JSON.parse(text) as Diagnosis;
  } catch {
    diagnosis = { kind: "internal", what: text.slice(0, 300) || `the server answered ${response.status}` };
  }
  if (response.status === 403 && path !== "/login" && diagnosis.what === "nobody is logged in") {
    void queryClient.invalidateQueries({ queryKey: ["session"] });
  }
  throw new ApiError(diagnosis, response.status);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send(path, { signal })).json()) as T;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    signal,
  });
  return (await response.json()) as T;
}

/** One of the operations that commands use too. */
export function operation<T>(name: string, body: object = {}, signal?: AbortSignal): Promise<T> {
  return post<T>(`/do/${name}`, body, signal);
}

/** Fails if the operation `show` finds something of that name: what is new must not replace it. */
export async function mustBeFree(show: string, name: string, what: string, hint: string): Promise<void> {
  try {
    await operation(show, { name });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return;
    throw error;
  }
  throw new ApiError({ kind: "already_exists", what, hints: [hint] }, 409);
}

/** The first rows of a query that only reads. */
export function rows(sql: string, options: { database?: string; limit?: number; signal?: AbortSignal } = {}) {
  const { signal, ...rest } = options;
  return post<Rows>("/rows", { sql, ...rest }, signal);
}

/** An answer as it came: its rows as text, without what was measured of it, and what it says. */
export interface Came {
  text: string;
  value: () => Rows;
}

/** The same, not yet taken apart: whoever has seen the text before need not. */
export async function rowsAsCame(sql: string, options: { database?: string; limit?: number; signal?: AbortSignal } = {}): Promise<Came> {
  const { signal, ...rest } = options;
  const response = await send("/rows", { method: "POST", body: JSON.stringify({ sql, ...rest }), headers: { "content-type": "application/json" }, signal });
  const body = await response.text();
  const measured = body.lastIndexOf(',"bytes_read":');
  return { text: measured < 0 ? body : body.slice(0, measured), value: () => JSON.parse(body) as Rows };
}

/** Follows a run to its end, telling each change. */
export async function follow(id: string, tell: (run: Run) => void, signal?: AbortSignal): Promise<Run> {
  let run = await operation<Run>("follow-run", { id, seen: null, wait_millis: 0 }, signal);
  tell(run);
  while (!isFinal(run.state)) {
    run = await operation<Run>("follow-run", { id, seen: run.revision, wait_millis: 10_000 }, signal);
    tell(run);
  }
  return run;
}

/** Lets the browser save an address of the API as a file. */
export function download(path: string): void {
  const link = document.createElement("a");
  link.href = `/api${path}`;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** Lets the browser save a text as a file. */
export function keepFile(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
