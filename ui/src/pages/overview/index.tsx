/** What runs, what failed, what is there; on an empty lake: what to do first. */

import { useQuery } from "@tanstack/react-query";
import { FolderOpen, Upload } from "lucide-react";
import { get, operation } from "../../shared/api";
import { ago, amount, bytes, plural, took } from "../../shared/format";
import { Link, path } from "../../shared/router";
import { diagnosisOf, isFinal, type Run, type TableSummary } from "../../shared/types";
import { Bar, Card, Empty, ErrorBox, LinkButton, Loading, Page, StateBadge, useNow } from "../../shared/ui";

interface Stored {
  buckets: { name: string; objects: number; bytes: number; more: boolean }[];
}

const DAY = 86_400_000;

export function Overview() {
  const runs = useQuery({
    queryKey: ["runs", "overview"],
    queryFn: () => operation<Run[]>("list-runs", { kind: null, states: [], limit: 200 }),
  });
  const tables = useQuery({ queryKey: ["tables"], queryFn: () => operation<TableSummary[]>("list-tables", {}) });
  const stored = useQuery({ queryKey: ["overview"], queryFn: () => get<Stored>("/overview"), staleTime: 30_000 });
  const now = useNow();
  const error = runs.error ?? tables.error ?? stored.error;
  if (error) return <Page title="Overview"><ErrorBox error={error} /></Page>;
  if (!runs.data || !tables.data || !stored.data) return <Loading />;

  const busy = runs.data.filter((run) => !isFinal(run.state));
  const recent = runs.data.filter((run) => now - Date.parse(run.created) < DAY);
  const failed = recent.filter((run) => run.state === "failed" || run.state === "timed_out");
  const objects = stored.data.buckets.reduce((sum, bucket) => sum + bucket.objects, 0);
  const size = stored.data.buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
  const partial = stored.data.buckets.some((bucket) => bucket.more);
  const isEmpty = tables.data.length === 0 && objects === 0;
  const work = runs.data.filter((run) => run.kind !== "query").slice(0, 8);

  return (
    <Page title="Overview" subtitle="What runs, what failed, and what is stored">
      {isEmpty ? <Card><FirstSteps /></Card> : (
        <>
          <div className="stats">
            <Link className="stat" href="/runs?state=running">
              <span className="stat-name">Running now</span><span className="stat-value">{amount(busy.length)}</span>
              <span className="stat-note">{plural(recent.length, "run")} in the last day</span>
            </Link>
            <Link className={failed.length > 0 ? "stat stat-bad" : "stat"} href="/runs?state=failed">
              <span className="stat-name">Failed in the last day</span><span className="stat-value">{amount(failed.length)}</span>
              <span className="stat-note">{failed[0] ? `latest ${ago(failed[0].created, now)}` : "nothing to do"}</span>
            </Link>
            <Link className="stat" href="/catalog">
              <span className="stat-name">Tables</span><span className="stat-value">{amount(tables.data.length)}</span>
              <span className="stat-note">{plural(new Set(tables.data.map((one) => one.database)).size, "database")}</span>
            </Link>
            <Link className="stat" href="/lake">
              <span className="stat-name">Stored{partial ? " (at least)" : ""}</span><span className="stat-value">{bytes(size)}</span>
              <span className="stat-note">{plural(objects, "file")} in {plural(stored.data.buckets.length, "bucket")}</span>
            </Link>
          </div>
          {failed.length > 0 && (
            <Card title="Needs a look" flush>
              <table className="list">
                <thead><tr><th>Run</th><th>What went wrong</th><th className="right">When</th></tr></thead>
                <tbody>
                  {failed.slice(0, 5).map((run) => (
                    <tr key={run.id}>
                      <td className="nowrap"><Link href={path("runs", run.id)}>{run.kind} {run.name.slice(0, 40)}</Link></td>
                      <td>{diagnosisOf(run)?.what ?? "it took longer than allowed"}</td>
                      <td className="right muted nowrap">{ago(run.created, now)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Card>
          )}
          <div className="columns">
            <Card title="Latest work" flush actions={<Link href="/runs" className="small">All runs</Link>}>
              {work.length === 0 ? <Empty title="No crawl and no job ran yet">Runs of crawlers, jobs and conversions are listed here.</Empty> : (
                <table className="list">
                  <thead><tr><th>Run</th><th>State</th><th className="right">Took</th></tr></thead>
                  <tbody>
                    {work.map((run) => (
                      <tr key={run.id}>
                        <td>
                          <Link href={path("runs", run.id)}>{run.kind} {run.name}</Link>
                          <div className="muted small">{ago(run.created, now)}</div>
                        </td>
                        <td>
                          <StateBadge state={run.state} />
                          {run.state === "running" && run.progress && (
                            <Bar part={run.progress.total ? run.progress.done / run.progress.total : null} label={`progress of ${run.name}`} />
                          )}
                        </td>
                        <td className="right nowrap">{took(run, now)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </Card>
            <Card title="Storage" flush actions={<Link href="/lake" className="small">Browse</Link>}>
              <table className="list">
                <thead><tr><th>Bucket</th><th className="right">Files</th><th className="right">Size</th></tr></thead>
                <tbody>
                  {stored.data.buckets.map((bucket) => (
                    <tr key={bucket.name}>
                      <td><Link href={`/lake?uri=${encodeURIComponent(`s3://${bucket.name}/`)}`}>{bucket.name}</Link></td>
                      <td className="right">{amount(bucket.objects)}{bucket.more && "+"}</td>
                      <td className="right">{bytes(bucket.bytes)}{bucket.more && "+"}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Card>
          </div>
        </>
      )}
    </Page>
  );
}

function FirstSteps() {
  return (
    <Empty icon={<FolderOpen size={22} />} title="The lake is empty: three steps to the first answer"
      actions={<LinkButton href="/lake" kind="primary"><Upload size={15} />Upload files</LinkButton>}>
      <p>Upload files of any format: CSV, JSON, Parquet, Avro, ORC or logs. You can also copy them into the folder <code>buckets</code> of the data directory.</p>
      <p>Crawl the folder, and its tables appear in the catalog. Then ask in SQL, as in Athena.</p>
    </Empty>
  );
}
