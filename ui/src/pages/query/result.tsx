/** What a query answered: rows in a grid that loads what is in sight, a chart, the plan. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { BarChart3, Download, Route, Table2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { download, get, rows } from "../../shared/api";
import { amount, bytes, duration, took } from "../../shared/format";
import { Grid } from "../../shared/grid";
import { Link, path } from "../../shared/router";
import type { Diagnosis, ResultPage, Run } from "../../shared/types";
import { isFinal, resultOf } from "../../shared/types";
import { Bar, Button, DiagnosisBox, Empty, ErrorBox, Loading, Tabs, useNow } from "../../shared/ui";
import { ResultChart } from "./chart";

const PAGE = 1000;
const TABS = [
  ["rows", <><Table2 size={14} />Rows</>], ["chart", <><BarChart3 size={14} />Chart</>], ["plan", <><Route size={14} />Plan</>],
] as const;

export function Result({ run, failure, sql, database }: { run: Run | null; failure: Diagnosis | null; sql: string; database: string }) {
  const [tab, setTab] = useState<"rows" | "chart" | "plan">("rows");
  const now = useNow(run && !isFinal(run.state) ? 500 : 10_000);
  const outcome = run ? resultOf<{ rows: number; is_text: boolean }>(run) : null;
  const isDone = run?.state === "succeeded" && outcome !== null;
  return (
    <section className="card query-result" aria-label="Result">
      <header className="card-head">
        <Tabs tabs={TABS} at={tab} onChange={setTab} label="Ways to look at the result" />
        <div className="actions small muted" aria-live="polite">
          {run && <Told run={run} rows={outcome?.rows} now={now} />}
          {isDone && run && (
            <>
              <Button onClick={() => download(`/results/${run.id}/file?format=csv`)}><Download size={14} />CSV</Button>
              <Button onClick={() => download(`/results/${run.id}/file?format=parquet`)}><Download size={14} />Parquet</Button>
            </>
          )}
        </div>
      </header>
      <div className="query-body">
        {failure ? <DiagnosisBox diagnosis={failure} /> : null}
        {!run && !failure && <Empty icon={<Table2 size={22} />} title="The rows come here">Write a query and run it with Ctrl and Enter. Runs stay on the page Runs, with what they read and how long they took.</Empty>}
        {run && !isFinal(run.state) && (
          <div className="empty"><Bar part={null} label="The query runs" /><p>Running{run.progress ? `, ${amount(run.progress.done)} ${run.progress.unit} so far` : ""}…</p></div>
        )}
        {isDone && tab === "rows" && <ResultRows key={run.id} run={run.id} isText={outcome.is_text} />}
        {isDone && tab === "chart" && <ResultChart key={run.id} run={run.id} total={outcome.rows} />}
        {isDone && tab === "plan" && <Plan key={run.id} sql={sql} database={database} />}
        {run && isFinal(run.state) && run.state !== "succeeded" && !failure && <Empty title="The query was stopped" />}
      </div>
    </section>
  );
}

function Told({ run, rows: count, now }: { run: Run; rows?: number; now: number }) {
  const { bytes_scanned: read, partitions_read: parts, partitions_pruned: pruned } = run.counters;
  return (
    <span>
      {count !== undefined && <>{amount(count)} {count === 1 ? "row" : "rows"} · </>}
      {read ? <>{bytes(read)} read · </> : null}
      {pruned ? <>{amount(parts ?? 0)} of {amount((parts ?? 0) + pruned)} partitions · </> : null}
      <Link href={path("runs", run.id)}>{took(run, now)}</Link>
    </span>
  );
}

function page(run: string, index: number) {
  return {
    queryKey: ["result", run, index],
    queryFn: ({ signal }: { signal: AbortSignal }) => get<ResultPage>(`/results/${run}?from=${index * PAGE}&limit=${PAGE}`, signal),
    staleTime: Infinity,
    gcTime: 60_000,
  };
}

function ResultRows({ run, isText }: { run: string; isText: boolean }) {
  const [range, setRange] = useState<[number, number]>([0, 0]);
  const first = useQuery(page(run, 0));
  const wanted = useMemo(() => {
    const from = Math.floor(range[0] / PAGE);
    const to = Math.floor(range[1] / PAGE);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  }, [range]);
  const pages = useQueries({ queries: wanted.map((index) => page(run, index)) });
  const loaded = useMemo(() => {
    const map = new Map<number, ResultPage>();
    if (first.data) map.set(0, first.data);
    for (const one of pages) if (one.data) map.set(one.data.from / PAGE, one.data);
    return map;
    // The pages are new objects on each drawing; what counts is which have come.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [first.data, wanted, pages.map((one) => (one.data ? one.data.from : "")).join()]);
  const row = useCallback((index: number) => loaded.get(Math.floor(index / PAGE))?.rows[index % PAGE], [loaded]);
  const onRange = useCallback((from: number, to: number) => {
    setRange((before) => (before[0] === from && before[1] === to ? before : [from, to]));
  }, []);
  if (first.isError) return <div className="card-body"><ErrorBox error={first.error} /></div>;
  if (!first.data) return <Loading what="Loading rows" />;
  if (isText) return <pre className="code" tabIndex={0}>{first.data.rows.map((cells) => cells.join("\t")).join("\n") || "done"}</pre>;
  if (first.data.total === 0) return <Empty title="No rows">The query ran well; nothing fits its conditions.</Empty>;
  return <Grid columns={first.data.columns} total={first.data.total} row={row} onRange={onRange} label="Rows of the result" />;
}

function Plan({ sql, database }: { sql: string; database: string }) {
  const isQuery = /^\s*(--[^\n]*\n\s*)*(select|with|values|\()/i.test(sql);
  const plan = useQuery({
    queryKey: ["plan", database, sql],
    queryFn: ({ signal }) => rows(`EXPLAIN ANALYZE ${sql}`, { database, signal }),
    enabled: isQuery,
    staleTime: Infinity,
  });
  if (!isQuery) return <Empty title="Only queries have a plan" />;
  if (plan.isError) return <div className="card-body"><ErrorBox error={plan.error} /></div>;
  if (!plan.data) return <Loading what="Running the query once more, measured" />;
  return (
    <>
      <pre className="code" tabIndex={0}>{plan.data.rows.map(([line]) => line).join("\n")}</pre>
      <p className="muted small plan-note">Measured in {duration(plan.data.millis ?? 0)}; each operator says its rows and time.</p>
    </>
  );
}
