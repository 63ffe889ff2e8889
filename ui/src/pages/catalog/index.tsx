/** What is in the lake, as tables. */

import { useQuery } from "@tanstack/react-query";
import { BookOpen, Database, Search, Table2 } from "lucide-react";
import { useMemo, useState } from "react";
import { operation } from "../../shared/api";
import { amount, time } from "../../shared/format";
import { Link, path, usePath } from "../../shared/router";
import type { TableSummary } from "../../shared/types";
import { Card, Empty, ErrorBox, LinkButton, Loading, Page, Tag } from "../../shared/ui";
import { Table } from "./table";

export default function Catalog() {
  const [, database, table] = usePath();
  const tables = useQuery({ queryKey: ["tables"], queryFn: () => operation<TableSummary[]>("list-tables", {}) });
  const [filter, setFilter] = useState("");
  const shown = useMemo(() => {
    const word = filter.toLowerCase();
    return (tables.data ?? []).filter((one) => `${one.database}.${one.table}`.includes(word));
  }, [tables.data, filter]);
  if (tables.isError) return <Page title="Catalog"><ErrorBox error={tables.error} /></Page>;
  if (!tables.data) return <Loading />;
  if (tables.data.length === 0) {
    return (
      <Page title="Catalog" subtitle="Databases, tables and how they came to be">
        <Card>
          <Empty icon={<BookOpen size={22} />} title="There is no table yet"
            actions={<><LinkButton kind="primary" href="/lake">Crawl a folder</LinkButton><LinkButton href="/query">Create one in SQL</LinkButton></>}>
            A crawler looks into the files of a folder and describes them as tables: columns, types, partitions.
          </Empty>
        </Card>
      </Page>
    );
  }
  const databases = [...new Set(shown.map((one) => one.database))];
  const side = (
    <Card title="Tables" flush>
      <div className="card-body">
        <label className="search"><Search size={14} aria-hidden />
          <input placeholder="Filter" aria-label="Filter tables" value={filter} onChange={(event) => setFilter(event.target.value)} />
        </label>
        <nav className="tree" aria-label="Tables">
          {databases.map((name) => (
            <div key={name}>
              <div className="tree-head file"><Database size={12} />{name}</div>
              {shown.filter((one) => one.database === name).map((one) => (
                <Link key={one.table} href={path("catalog", name, one.table)} aria-current={name === database && one.table === table ? "page" : undefined}>
                  <Table2 size={13} /><span className="tree-name">{one.table}</span>
                </Link>
              ))}
            </div>
          ))}
          {databases.length === 0 && <p className="muted small">No table has this in its name.</p>}
        </nav>
      </div>
    </Card>
  );
  if (database && table) {
    return <Table key={`${database}.${table}`} database={database} table={table} side={side} />;
  }
  return (
    <Page title="Catalog" subtitle="Databases, tables and how they came to be">
      <div className="split">
        {side}
        <Card flush>
          <table className="list">
            <thead><tr><th>Table</th><th>Format</th><th className="right">Columns</th><th className="right">Partitions</th><th>Changed (UTC)</th></tr></thead>
            <tbody>
              {shown.map((one) => (
                <tr key={`${one.database}.${one.table}`}>
                  <td>
                    <Link href={path("catalog", one.database, one.table)}>{one.database}.{one.table}</Link>
                    <div className="muted small clip">{one.location}</div>
                  </td>
                  <td><Tag>{one.format}</Tag></td>
                  <td className="right">{one.columns + one.partition_keys.length}</td>
                  <td className="right">{one.partitions === null ? "–" : amount(one.partitions)}</td>
                  <td className="nowrap muted">{time(one.updated)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      </div>
    </Page>
  );
}
