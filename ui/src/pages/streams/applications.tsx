/** All stream applications: what they are at. */

import { useQuery } from "@tanstack/react-query";
import { Plus, Workflow } from "lucide-react";
import { useEffect, useState } from "react";
import { operation } from "../../shared/api";
import { amount, duration, time } from "../../shared/format";
import { add, cut, rate, rates, useTotals } from "../../shared/pulse";
import { Link, path } from "../../shared/router";
import { Sparkline } from "../../shared/sparkline";
import type { Run } from "../../shared/types";
import { diagnosisOf } from "../../shared/types";
import { Card, Empty, ErrorBox, LinkButton, Loading, Page, StateBadge, Tag, useNow } from "../../shared/ui";
import { Halves } from "./list";
import type { Application, WatchedApplication } from "./types";

/** Notes how many records the runs of applications have read, for their rates; `at` is when the server answered. */
export function useRates(all: WatchedApplication[] | undefined, at: number): void {
  useTotals();
  const [since] = useState(() => Date.now());
  useEffect(() => {
    // What an earlier visit has left is shown until the first answer, but not counted.
    if (at < since) return;
    for (const { application, run } of all ?? []) {
      if (run && application.status === "running") add(`app/${application.name}`, at, run.counters.records ?? 0);
    }
  }, [all, at, since]);
  // Away from here nobody looks.
  useEffect(() => () => cut("app/"), []);
}

export function Status({ application, run }: { application: Application; run: Run | null }) {
  return application.status === "running" || run?.state === "failed" ? <StateBadge state={run?.state ?? "running"} /> : <Tag>ready</Tag>;
}

/** The watermark as a time; none before the first event. */
export function watermark(run: Run | null): string {
  const at = run?.counters.watermark || -(run?.counters.watermark_before_1970 ?? 0);
  return at ? time(new Date(at).toISOString()) : "–";
}

export function Applications() {
  const all = useQuery({ queryKey: ["applications"], refetchOnMount: "always", queryFn: ({ signal }) => operation<WatchedApplication[]>("watch-applications", {}, signal) });
  const now = useNow(1000);
  useRates(all.data, all.dataUpdatedAt);
  return (
    <Page title="Streams" subtitle="Scripts of Flink SQL that read streams, put events into windows and write tables"
      actions={<LinkButton href="/streams/new" kind="primary"><Plus size={15} />New application</LinkButton>}>
      <Halves at="applications" />
      {all.isError && <ErrorBox error={all.error} />}
      {all.isPending && <Loading />}
      {all.data?.length === 0 && (
        <Card>
          <Empty icon={<Workflow size={22} />} title="There is no application yet" actions={<LinkButton href="/streams/new">Write one</LinkButton>}>
            An application reads streams, puts events into windows by their own time, and writes tables, each event counted once.
          </Empty>
        </Card>
      )}
      {all.data && all.data.length > 0 && (
        <Card flush>
          <div className="scrolls" tabIndex={0}>
            <table className="list">
              <thead><tr><th>Application</th><th>State</th><th>Events</th><th className="right">Lag</th><th className="right">Watermark</th><th className="right">Late</th><th className="right">Open windows</th></tr></thead>
              <tbody>
                {all.data.map(({ application, run }) => {
                  const isRunning = application.status === "running";
                  const wrong = run ? diagnosisOf(run) : null;
                  return (
                    <tr key={application.name}>
                      <td><Link href={path("streams", "application", application.name)}>{application.name}</Link>{wrong && run?.state === "failed" && <div className="small bad">{wrong.what}</div>}</td>
                      <td><Status application={application} run={run} /></td>
                      <td>{isRunning ? <Sparkline values={rates(`app/${application.name}`, now)} latest={rate(`app/${application.name}`, now)} label={`Events read by ${application.name}`} /> : <span className="muted">{amount(run?.counters.records ?? 0)} in its last run</span>}</td>
                      <td className="right nowrap">{isRunning ? duration(run?.counters.lag_millis ?? 0) : "–"}</td>
                      <td className="right nowrap">{watermark(run)}</td>
                      <td className="right">{amount(run?.counters.late ?? 0)}</td>
                      <td className="right">{isRunning ? amount(run?.counters.open_windows ?? 0) : "–"}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </Card>
      )}
    </Page>
  );
}
