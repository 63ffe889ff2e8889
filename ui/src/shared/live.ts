/** News of runs from the server, as they come: what shows runs is loaded anew. */

import type { QueryClient } from "@tanstack/react-query";

export function listen(client: QueryClient): () => void {
  const source = new EventSource("/api/events");
  source.addEventListener("runs", (event) => {
    const changed = JSON.parse((event as MessageEvent<string>).data) as { id: string; kind: string; state: string }[];
    if (changed.length === 0) return;
    void client.invalidateQueries({ queryKey: ["runs"] });
    for (const run of changed) void client.invalidateQueries({ queryKey: ["run", run.id] });
    const isOver = (state: string) => state === "succeeded" || state === "failed";
    if (changed.some((run) => run.kind !== "query" && isOver(run.state))) {
      void client.invalidateQueries({ queryKey: ["tables"] });
      void client.invalidateQueries({ queryKey: ["overview"] });
      void client.invalidateQueries({ queryKey: ["folder"] });
    }
  });
  return () => source.close();
}
