/** One table: its columns, rows, values, partitions, versions, definition, and who wrote it. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { operation, quoteName, rows } from "../../shared/api";
import { ago, amount, time } from "../../shared/format";
import { RowsGrid } from "../../shared/grid";
import { Link, path, useSearch } from "../../shared/router";
import type { PartitionList, Run, TableDescription } from "../../shared/types";
import { resultOf } from "../../shared/types";
import { Button, Card, CopyButton, Empty, ErrorBox, Facts, LinkButton, Loading, Page, Tabs, Tag, useNow } from "../../shared/ui";
import { Profile } from "./profile";

const TABS = [
  ["columns", "Columns"], ["preview", "Preview"], ["profile", "Profile"], ["partitions", "Partitions"], ["versions", "Versions"],
  ["definition", "Definition"], ["runs", "Runs"],
] as const;
type Tab = (typeof TABS)[number][0];

export function Table({ database, table, side }: { database: string; table: string; side: ReactNode }) {
  const [search, setSearch] = useSearch();
  const tab = (search.get("tab") as Tab | null) ?? "columns";
  const name = `${quoteName(database)}.${quoteName(table)}`;
  const described = useQuery({
    queryKey: ["tables", "one", database, table],
    queryFn: () => operation<TableDescription>("describe-table", { table: `${database}.${table}`, versions: true }),
  });
  const sql = `SELECT *\nFROM ${name}\nLIMIT 100`;
  const about = described.data;
  return (
    <Page title={table} subtitle={<Link href="/catalog">{database}</Link>}
      actions={<LinkButton kind="primary" href={`/query?sql=${encodeURIComponent(sql)}&database=${encodeURIComponent(database)}`}>Query this table</LinkButton>}>
      <div className="split">
        {side}
        <div className="page-title" style={{ gap: 16 }}>
          {described.isError && <ErrorBox error={described.error} />}
          {described.isPending && <Loading />}
          {about && (
            <>
              <Card>
                <Facts facts={[
                  ["Format", about.format],
                  ["Location", about.entry.table.storage.location
                    ? <Link className="mono" href={`/lake?uri=${encodeURIComponent(about.entry.table.storage.location)}`}>{about.entry.table.storage.location}</Link> : null],
                  ["Partitions", about.partitions === null ? "not partitioned" : amount(about.partitions)],
                  ["Version", `${about.entry.version}, of ${time(about.entry.updated)} UTC`],
                  ["Description", about.entry.table.description],
                ]} />
              </Card>
              <Tabs tabs={TABS.filter(([key]) => key !== "partitions" || about.partitions !== null)} at={tab} label="About the table"
                onChange={(next) => setSearch({ tab: next })} />
              {tab === "columns" && <Columns about={about} />}
              {tab === "preview" && <Preview name={name} />}
              {tab === "profile" && <Profile name={name} about={about} />}
              {tab === "partitions" && <Partitions table={`${database}.${table}`} />}
              {tab === "versions" && <Versions about={about} />}
              {tab === "definition" && <Definition name={name} />}
              {tab === "runs" && <Touched database={database} table={table} location={about.entry.table.storage.location} />}
            </>
          )}
        </div>
      </div>
    </Page>
  );
}

function Columns({ about }: { about: TableDescription }) {
  const { table } = about.entry;
  const all = [
    ...table.storage.columns.map((column) => ({ ...column, key: false })),
    ...(table.partition_keys ?? []).map((column) => ({ ...column, key: true })),
  ];
  return (
    <Card flush>
      <table className="list">
        <thead><tr><th>Column</th><th>Type</th><th>Comment</th></tr></thead>
        <tbody>
          {all.map((column) => (
            <tr key={column.name}>
              <td className="mono">{column.name} {column.key && <Tag>partition key</Tag>}</td>
              <td className="mono muted">{column.type}</td>
              <td className="muted">{column.comment}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Preview({ name }: { name: string }) {
  const preview = useQuery({ queryKey: ["preview", name], queryFn: ({ signal }) => rows(`SELECT * FROM ${name} LIMIT 100`, { signal }) });
  if (preview.isError) return <ErrorBox error={preview.error} />;
  if (!preview.data) return <Loading what="Reading the first rows" />;
  if (preview.data.rows.length === 0) return <Card><Empty title="The table has no rows" /></Card>;
  return <Card flush><RowsGrid columns={preview.data.columns} rows={preview.data.rows} label="First rows" height={520} /></Card>;
}

function Partitions({ table }: { table: string }) {
  const [filter, setFilter] = useState("");
  const [asked, setAsked] = useState("");
  const list = useQuery({
    queryKey: ["partitions", table, asked],
    queryFn: () => operation<PartitionList>("list-partitions", { table, filter: asked || null, limit: 500 }),
  });
  return (
    <Card title="Partitions" flush>
      <form className="card-body" onSubmit={(event) => {
        event.preventDefault();
        setAsked(filter);
      }}>
        <div className="actions">
          <input className="grow mono" aria-label="Condition on the partition keys" value={filter} onChange={(event) => setFilter(event.target.value)}
            placeholder={list.data?.keys[0] ? `${list.data.keys[0]} = '…'` : "a condition on the keys"} />
          <Button type="submit">Filter</Button>
        </div>
        {list.isError && <ErrorBox error={list.error} />}
      </form>
      {list.data && (
        <table className="list">
          <thead><tr>{list.data.keys.map((key) => <th key={key}>{key}</th>)}<th>Location</th></tr></thead>
          <tbody>
            {list.data.partitions.map((partition) => (
              <tr key={partition.values.join("/")}>
                {partition.values.map((value, index) => <td className="mono" key={index}>{value}</td>)}
                <td className="muted small clip">{partition.storage.location}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {list.data?.more && <p className="card-body muted small">There are more than {list.data.partitions.length}; a condition narrows them.</p>}
      {list.data?.partitions.length === 0 && <Empty title="No partition fits" />}
    </Card>
  );
}

function Versions({ about }: { about: TableDescription }) {
  return (
    <Card flush>
      <div className="versions">
        {about.versions.map((version) => (
          <div className="version" key={version.version}>
            <b>v{version.version}</b>
            <span className="muted nowrap">{time(version.at)} UTC</span>
            <div>
              {version.changes.length === 0 && <span className="muted">no column changed</span>}
              {version.changes.map((change) => (
                <div key={change.name} className={`mono ${change.change}`}>
                  {change.change === "added" && `+ ${change.name} ${change.type}`}
                  {change.change === "removed" && `− ${change.name} ${change.type}`}
                  {change.change === "retyped" && `~ ${change.name} ${change.from} → ${change.to}`}
                </div>
              ))}
            </div>
          </div>
        ))}
      </div>
    </Card>
  );
}

function Definition({ name }: { name: string }) {
  const shown = useQuery({
    queryKey: ["definition", name],
    queryFn: async ({ signal }) => {
      try {
        return await rows(`SHOW CREATE TABLE ${name}`, { signal });
      } catch {
        return rows(`SHOW CREATE VIEW ${name}`, { signal });
      }
    },
  });
  if (shown.isError) return <ErrorBox error={shown.error} />;
  if (!shown.data) return <Loading />;
  const text = shown.data.rows.map(([line]) => line).join("\n");
  return <Card title="As Athena would create it" actions={<CopyButton text={text} />}><pre className="code" tabIndex={0}>{text}</pre></Card>;
}

/** Runs whose arguments or results name the table or its place. */
function Touched({ database, table, location }: { database: string; table: string; location?: string }) {
  const now = useNow();
  const runs = useQuery({ queryKey: ["runs", "touched"], queryFn: () => operation<Run[]>("list-runs", { kind: null, states: [], limit: 500 }) });
  if (!runs.data) return <Loading />;
  const words = [`${database}.${table}`, ...(location ? [location] : [])];
  const named = runs.data.filter((run) => {
    const text = JSON.stringify([run.arguments, resultOf(run)]).toLowerCase();
    return words.some((word) => text.includes(word.toLowerCase())) || (text.includes(`"${database}"`) && new RegExp(`\\b${table}\\b`).test(text));
  });
  if (named.length === 0) return <Card><Empty title="No run is known that reads or writes it">Runs are kept for a while, then forgotten.</Empty></Card>;
  return (
    <Card flush>
      <table className="list">
        <thead><tr><th>Run</th><th>What it did</th><th className="right">When</th></tr></thead>
        <tbody>
          {named.slice(0, 50).map((run) => (
            <tr key={run.id}>
              <td><Link href={path("runs", run.id)}>{run.kind} {run.name.slice(0, 60)}</Link></td>
              <td><Tag>{run.kind === "query" && /^\s*(select|with)/i.test(String(run.arguments?.sql)) ? "reads" : "writes"}</Tag></td>
              <td className="right muted nowrap">{ago(run.created, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
