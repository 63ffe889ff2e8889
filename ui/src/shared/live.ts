/** News of runs and streams from the server, as they come: what shows runs is loaded anew. */

import type { QueryClient } from "@tanstack/react-query";
import { note, type Totals } from "./pulse";

export function listen(client: QueryClient): () => void {
  const source = new EventSource("/api/events");
  let names: string | null = null;
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
    const told = JSON.parse((event as MessageEvent<string>).data) as { changed: Totals[]; names: string[] };
    const before = names;
    names = told.names.join("\n");
    note(told, Date.now());
    if (before !== names) void client.invalidateQueries({ queryKey: ["streams"] });
  });
  return () => source.close();
}
