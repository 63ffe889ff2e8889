/** News of runs and streams from the server, as they come: what shows runs is loaded anew. */

import type { QueryClient } from "@tanstack/react-query";
import { cut, note, type Told } from "./pulse";

/** What shows something that is told here. */
const LOADED = ["runs", "run", "applications", "application", "streams", "tables", "overview", "folder"];

export function listen(client: QueryClient): () => void {
  const source = new EventSource("/api/events");
  let names: string | null = null;
  let isBroken = false;
  source.addEventListener("error", () => {
    isBroken = true;
    cut();
  });
  source.addEventListener("open", () => {
    // What happened without a connection is not told.
    if (isBroken) for (const key of LOADED) void client.invalidateQueries({ queryKey: [key] });
    isBroken = false;
  });
  source.addEventListener("runs", (event) => {
    const changed = JSON.parse((event as MessageEvent<string>).data) as { id: string; kind: string; name: string; state: string }[];
    if (changed.length === 0) return;
    void client.invalidateQueries({ queryKey: ["runs"] });
    for (const run of changed) void client.invalidateQueries({ queryKey: ["run", run.id] });
    if (changed.some((run) => run.kind === "stream")) {
      void client.invalidateQueries({ queryKey: ["applications"] });
      for (const run of changed) void client.invalidateQueries({ queryKey: ["application", run.name] });
    }
    const isOver = (state: string) => state === "succeeded" || state === "failed";
    if (changed.some((run) => run.kind !== "query" && isOver(run.state))) {
      void client.invalidateQueries({ queryKey: ["tables"] });
      void client.invalidateQueries({ queryKey: ["overview"] });
      void client.invalidateQueries({ queryKey: ["folder"] });
    }
  });
  source.addEventListener("streams", (event) => {
    const told = JSON.parse((event as MessageEvent<string>).data) as Told;
    const before = names;
    names = told.names.join("\n");
    note(told, Date.now());
    if (before !== names) void client.invalidateQueries({ queryKey: ["streams"] });
  });
  return () => source.close();
}
