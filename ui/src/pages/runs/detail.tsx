/** One run: why it failed stands on top; then what it did, its log, its arguments. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Search, Square } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { operation } from "../../shared/api";
import { amount, bytes, counter, duration, time, took, words } from "../../shared/format";
import { Link, navigate, path } from "../../shared/router";
import { diagnosisOf, isFinal, type LogLine, resultOf, type Run } from "../../shared/types";
import { Bar, Button, Card, DiagnosisBox, Empty, ErrorBox, Facts, LinkButton, Loading, Page, StateBadge, useNow } from "../../shared/ui";

export function RunDetail({ id }: { id: string }) {
  const client = useQueryClient();
  const run = useQuery({ queryKey: ["run", id], queryFn: () => operation<Run>("follow-run", { id, seen: null, wait_millis: 0 }) });
  const going = run.data !== undefined && !isFinal(run.data.state);
  const now = useNow(going ? 500 : 60_000);
  // The list of news comes once a second; who looks at one run sees each change at once.
  const revision = run.data?.revision;
  useEffect(() => {
    if (!going || revision === undefined) return;
    const abort = new AbortController();
    operation<Run>("follow-run", { id, seen: revision, wait_millis: 20_000 }, abort.signal)
      .then((next) => client.setQueryData(["run", id], next))
      .catch(() => undefined);
    return () => abort.abort();
  }, [going, revision, id, client]);

  if (run.isError) return <Page title="Run"><ErrorBox error={run.error} /></Page>;
  if (!run.data) return <Loading />;
  const one = run.data;
  const diagnosis = diagnosisOf(one);
  const sql = typeof one.arguments?.sql === "string" ? one.arguments.sql : null;
  const database = typeof one.arguments?.database === "string" ? one.arguments.database : "default";
  return (
    <Page title={one.name} subtitle={<><Link href={`/runs?kind=${one.kind}`}>{one.kind}</Link> <span className="mono small">{one.id}</span></>}
      actions={(
        <>
          {sql && <LinkButton href={`/query?sql=${encodeURIComponent(sql)}&database=${encodeURIComponent(database)}`}>Open in the editor</LinkButton>}
          {going && <Button kind="danger" onClick={() => void operation("stop-run", { id })}><Square size={14} />Stop</Button>}
          <Sibling run={one} />
        </>
      )}>
      {diagnosis && <DiagnosisBox diagnosis={diagnosis} />}
      <Card>
        {going && (
          <Bar part={one.progress?.total ? one.progress.done / one.progress.total : null} label="Progress" />
        )}
        <Facts facts={[
          ["State", <StateBadge key="state" state={one.state} />],
          ["Took", took(one, now)],
          ["Waited", one.started ? duration(Date.parse(one.started) - Date.parse(one.created)) : duration(now - Date.parse(one.created))],
          ["Created (UTC)", time(one.created)],
          ["Ended (UTC)", one.ended ? time(one.ended) : null],
          ["Attempt", one.attempt > 1 || one.retries_left > 0 ? `${one.attempt}, ${one.retries_left} left` : null],
          ["Progress", one.progress && going ? `${amount(one.progress.done)}${one.progress.total ? ` of ${amount(one.progress.total)}` : ""} ${one.progress.unit}` : null],
          ["Owner", one.owner],
          ...Object.entries(one.counters).map(([name, value]) => [words(name), counter(name, value)] as const),
        ]} />
      </Card>
      <Report run={one} />
      <Log id={id} going={going} revision={one.revision} />
      {sql ? <Card title="Statement"><pre className="code" tabIndex={0}>{sql}</pre></Card> : one.arguments && (
        <Card title="Arguments"><pre className="code" tabIndex={0}>{JSON.stringify(one.arguments, null, 2)}</pre></Card>
      )}
    </Page>
  );
}

/** The run of this name before this one, to compare with. */
function Sibling({ run }: { run: Run }) {
  const before = useQuery({
    queryKey: ["runs", "before", run.id],
    queryFn: () => operation<Run[]>("list-runs", { kind: run.kind, states: [], limit: 1, name: run.name, after: run.id }),
  });
  const other = before.data?.[0];
  if (!other) return null;
  return <Button onClick={() => navigate(path("runs", "compare", `${other.id},${run.id}`))}>Compare with the one before</Button>;
}

interface JobReport {
  nodes?: { id: string; name: string; kind: string; rows_in: number; rows_out: number; rejected: number }[];
  targets?: { node: string; location: string; table?: string; rows: number; bytes: number; files: number; partitions: number }[];
  notes?: string[];
  cost?: { dollars: number } | null;
}

/** What a job says of its nodes and targets; other kinds' results as they are. */
function Report({ run }: { run: Run }) {
  const result = resultOf<{ report?: JobReport } & JobReport>(run);
  if (!result || run.kind === "query") return null;
  const report = result.report ?? result;
  if (!report.nodes) {
    return <Card title="Result"><pre className="code" tabIndex={0} style={{ maxHeight: 320 }}>{JSON.stringify(result, null, 2)}</pre></Card>;
  }
  return (
    <>
      <Card title="Nodes" flush>
        <table className="list">
          <thead><tr><th>Node</th><th>Kind</th><th className="right">Rows in</th><th className="right">Rows out</th><th className="right">Rejected</th></tr></thead>
          <tbody>
            {report.nodes.map((node) => (
              <tr key={node.id}>
                <td>{node.name}</td><td className="muted">{node.kind}</td><td className="right">{amount(node.rows_in)}</td>
                <td className="right">{amount(node.rows_out)}</td><td className="right">{node.rejected ? <span className="removed">{amount(node.rejected)}</span> : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
      {report.targets && report.targets.length > 0 && (
        <Card title="Written" flush actions={report.cost && <span className="muted small">would have cost ${report.cost.dollars.toFixed(4)} on AWS</span>}>
          <table className="list">
            <thead><tr><th>Where</th><th className="right">Rows</th><th className="right">Files</th><th className="right">Partitions</th><th className="right">Size</th></tr></thead>
            <tbody>
              {report.targets.map((target) => (
                <tr key={target.node}>
                  <td><Link className="mono" href={`/lake?uri=${encodeURIComponent(target.location)}`}>{target.location}</Link>{target.table && <span className="muted"> {target.table}</span>}</td>
                  <td className="right">{amount(target.rows)}</td><td className="right">{amount(target.files)}</td>
                  <td className="right">{amount(target.partitions)}</td><td className="right">{bytes(target.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      )}
      {report.notes && report.notes.length > 0 && <Card title="Notes">{report.notes.map((note) => <p key={note}>{note}</p>)}</Card>}
    </>
  );
}

function Log({ id, going, revision }: { id: string; going: boolean; revision: number }) {
  const [word, setWord] = useState("");
  const [following, setFollowing] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const log = useQuery({
    queryKey: ["run", id, "log", revision],
    queryFn: () => operation<LogLine[]>("read-log", { id, after: 0, limit: 5000 }),
    placeholderData: (before) => before,
    refetchInterval: going ? 1500 : false,
  });
  const lines = useMemo(
    () => (log.data ?? []).filter((line) => line.message.toLowerCase().includes(word.toLowerCase())),
    [log.data, word],
  );
  useEffect(() => {
    if (following && going) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines, following, going]);
  return (
    <Card title="Log" flush actions={(
      <>
        {going && <label className="check small"><input type="checkbox" checked={following} onChange={(event) => setFollowing(event.target.checked)} />Follow</label>}
        <label className="search"><Search size={14} aria-hidden />
          <input placeholder="Search the log" aria-label="Search the log" value={word} onChange={(event) => setWord(event.target.value)} />
        </label>
      </>
    )}>
      {lines.length === 0 ? <Empty title={word ? "No line has this" : "The log is empty"} /> : (
        <div className="log" ref={box} tabIndex={0} role="log" aria-label="Log">
          {lines.map((line) => (
            <div key={line.seq} className={`log-line log-${line.level}`}>
              <span className="log-time">{line.at.slice(11, 19)}</span><span className="log-level">{line.level}</span><span className="log-text">{line.message}</span>
            </div>
          ))}
        </div>
      )}
    </Card>
  );
}
