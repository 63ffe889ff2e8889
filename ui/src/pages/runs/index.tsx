/** Everything that ran, of every kind, in one list. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { GitCompareArrows, ListChecks, Search } from "lucide-react";
import { useState } from "react";
import { operation } from "../../shared/api";
import { amount, bytes, time, took } from "../../shared/format";
import { Link, navigate, path, usePath, useSearch } from "../../shared/router";
import { diagnosisOf, type Run, type RunState } from "../../shared/types";
import { Bar, Button, Card, Empty, ErrorBox, Loading, Page, StateBadge, Tag, useNow } from "../../shared/ui";
import { Compare } from "./compare";
import { RunDetail } from "./detail";

const KINDS = ["query", "job", "job-preview", "crawl", "convert", "generate"];
const STATES: RunState[] = ["waiting", "running", "stopping", "succeeded", "failed", "stopped", "timed_out"];
const PAGE = 100;

export default function Runs() {
  const [, id, other] = usePath();
  if (id === "compare" && other) return <Compare ids={other.split(",")} />;
  if (id) return <RunDetail key={id} id={id} />;
  return <List />;
}

function List() {
  const [search, setSearch] = useSearch();
  const now = useNow(2000);
  const [picked, setPicked] = useState<string[]>([]);
  const kind = search.get("kind");
  const state = search.get("state");
  const word = search.get("name") ?? "";
  const runs = useInfiniteQuery({
    queryKey: ["runs", "list", kind, state],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => operation<Run[]>("list-runs", { kind, states: state ? [state] : [], limit: PAGE, after: pageParam }),
    getNextPageParam: (last) => (last.length === PAGE ? last.at(-1)?.id : undefined),
  });
  const all = runs.data?.pages.flat() ?? [];
  const shown = all.filter((run) => run.name.toLowerCase().includes(word.toLowerCase()) || run.id.toLowerCase().startsWith(word.toLowerCase()));
  const pick = (id: string) => setPicked((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before, id].slice(-2)));
  return (
    <Page title="Runs" subtitle="Queries, jobs, crawls: what ran, how long, and why it failed"
      actions={(
        <Button disabled={picked.length !== 2} onClick={() => navigate(path("runs", "compare", picked.join(",")))}>
          <GitCompareArrows size={15} />Compare {picked.length === 2 ? "" : "two"}
        </Button>
      )}>
      <div className="actions">
        <label className="search"><Search size={14} aria-hidden />
          <input placeholder="Name or id" aria-label="Name or id" value={word} onChange={(event) => setSearch({ name: event.target.value })} />
        </label>
        <select aria-label="Kind" value={kind ?? ""} onChange={(event) => setSearch({ kind: event.target.value })}>
          <option value="">Every kind</option>{KINDS.map((one) => <option key={one}>{one}</option>)}
        </select>
        <select aria-label="State" value={state ?? ""} onChange={(event) => setSearch({ state: event.target.value })}>
          <option value="">Every state</option>{STATES.map((one) => <option key={one} value={one}>{one.replace("_", " ")}</option>)}
        </select>
      </div>
      <Card flush>
        {runs.isPending && <Loading />}
        {runs.isError && <div className="card-body"><ErrorBox error={runs.error} /></div>}
        {runs.data && shown.length === 0 && (
          <Empty icon={<ListChecks size={22} />} title={kind || state || word ? "No run fits these filters" : "Nothing ran yet"}>
            {kind || state || word ? "Take one away to see more." : "Run a query, a crawl or a job, here or on the command line: it is listed as it happens."}
          </Empty>
        )}
        {shown.length > 0 && (
          <table className="list">
            <thead><tr><th aria-label="Pick" /><th>Run</th><th>State</th><th>Started (UTC)</th><th className="right">Took</th><th className="right">Read</th></tr></thead>
            <tbody>
              {shown.map((run) => (
                <tr key={run.id}>
                  <td style={{ width: 40 }}><input type="checkbox" aria-label={`Pick ${run.kind} ${run.name} to compare`} checked={picked.includes(run.id)} onChange={() => pick(run.id)} /></td>
                  <td>
                    <div className="file"><Tag>{run.kind}</Tag><Link className="clip" href={path("runs", run.id)}>{run.name}</Link></div>
                    {diagnosisOf(run) && <div className="muted small clip">{diagnosisOf(run)?.what}</div>}
                  </td>
                  <td>
                    <StateBadge state={run.state} />
                    {run.state === "running" && run.progress?.total && <Bar part={run.progress.done / run.progress.total} label={`progress of ${run.name}`} />}
                  </td>
                  <td className="nowrap muted">{time(run.created)}</td>
                  <td className="right nowrap">{took(run, now)}</td>
                  <td className="right nowrap muted">{read(run)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
      {runs.hasNextPage && <div className="actions"><Button onClick={() => void runs.fetchNextPage()} disabled={runs.isFetchingNextPage}>Show {amount(PAGE)} older</Button></div>}
    </Page>
  );
}

function read(run: Run): string {
  const size = run.counters.bytes_scanned ?? run.counters.bytes_read;
  return size ? bytes(size) : "–";
}
