/** Two runs side by side: what differs is marked. */

import { useQueries } from "@tanstack/react-query";
import { operation } from "../../shared/api";
import { counter, time, took, words } from "../../shared/format";
import { Link, path } from "../../shared/router";
import { diagnosisOf, type Run } from "../../shared/types";
import { Card, DiagnosisBox, ErrorBox, Loading, Page, StateBadge } from "../../shared/ui";

export function Compare({ ids }: { ids: string[] }) {
  const runs = useQueries({
    queries: ids.slice(0, 2).map((id) => ({ queryKey: ["run", id], queryFn: () => operation<Run>("follow-run", { id, seen: null, wait_millis: 0 }) })),
  });
  const failed = runs.find((run) => run.isError);
  if (failed) return <Page title="Compare"><ErrorBox error={failed.error} /></Page>;
  const [left, right] = [runs[0]?.data, runs[1]?.data];
  if (!left || !right) return <Loading />;
  const now = Date.now();
  const facts: [string, string, string][] = [
    ["started (UTC)", time(left.started), time(right.started)],
    ["took", took(left, now), took(right, now)],
    ["attempt", String(left.attempt), String(right.attempt)],
  ];
  const names = [...new Set([...Object.keys(left.counters), ...Object.keys(right.counters)])].sort();
  for (const name of names) {
    const of = (run: Run) => (run.counters[name] === undefined ? "–" : counter(name, run.counters[name]));
    facts.push([words(name), of(left), of(right)]);
  }
  const flat = (run: Run) => Object.fromEntries(Object.entries(run.arguments ?? {}).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
  const [a, b] = [flat(left), flat(right)];
  for (const name of [...new Set([...Object.keys(a), ...Object.keys(b)])]) facts.push([name, a[name] ?? "–", b[name] ?? "–"]);
  return (
    <Page title="Compare two runs" subtitle="Lines that differ are marked">
      <div className="compare">
        {[left, right].map((run) => (
          <Card key={run.id} title={<Link href={path("runs", run.id)}>{run.kind} {run.name}</Link>} actions={<StateBadge state={run.state} />}>
            {diagnosisOf(run) ? <DiagnosisBox diagnosis={diagnosisOf(run) ?? { kind: "", what: "" }} /> : <p className="muted mono small">{run.id}</p>}
          </Card>
        ))}
      </div>
      <Card flush>
        <table className="list">
          <thead><tr><th>What</th><th>First</th><th>Second</th></tr></thead>
          <tbody>
            {facts.map(([name, one, two]) => (
              <tr key={name} className={one === two ? "" : "differs"}><td className="muted">{name}</td><td className="clip">{one}</td><td className="clip">{two}</td></tr>
            ))}
          </tbody>
        </table>
      </Card>
    </Page>
  );
}
