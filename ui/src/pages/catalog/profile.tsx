/** What stands in a table's columns: how many values, missing ones, the range, the most frequent. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { quoteName, rows } from "../../shared/api";
import { amount, bytes } from "../../shared/format";
import type { TableDescription } from "../../shared/types";
import { Button, Card, Empty, ErrorBox, Loading, Tag } from "../../shared/ui";

const COLUMNS = 24;
const FREQUENT = 6;

const isPlain = (type: string) => !/^(array|map|struct|binary|uniontype)/.test(type);

export function Profile({ name, about }: { name: string; about: TableDescription }) {
  const [asked, setAsked] = useState(false);
  const columns = [...about.entry.table.storage.columns, ...(about.entry.table.partition_keys ?? [])]
    .filter((column) => isPlain(column.type)).slice(0, COLUMNS);
  const summary = useQuery({
    queryKey: ["profile", name, columns.map((column) => column.name).join()],
    enabled: asked,
    staleTime: 60_000,
    queryFn: ({ signal }) => {
      const parts = columns.flatMap((column) => {
        const quoted = quoteName(column.name.toLowerCase());
        return [`count(${quoted})`, `approx_distinct(${quoted})`, `CAST(min(${quoted}) AS varchar)`, `CAST(max(${quoted}) AS varchar)`];
      });
      return rows(`SELECT count(*), ${parts.join(", ")} FROM ${name}`, { signal });
    },
  });
  if (!asked) {
    return (
      <Card>
        <Empty title="A profile reads the whole table" actions={<Button kind="primary" onClick={() => setAsked(true)}>Read it</Button>}>
          It counts values, missing values and different values of each column, and finds the smallest, largest and most frequent ones.
        </Empty>
      </Card>
    );
  }
  if (summary.isError) return <ErrorBox error={summary.error} />;
  if (!summary.data) return <Loading what="Reading the table" />;
  const [total = "0", ...cells] = summary.data.rows[0] ?? [];
  const all = Number(total);
  return (
    <>
      <p className="muted">{amount(all)} rows, {bytes(summary.data.bytes_read ?? 0)} read</p>
      <div className="profile">
        {columns.map((column, index) => {
          const [count, different, low, high] = cells.slice(index * 4, index * 4 + 4);
          const missing = all - Number(count ?? 0);
          return (
            <div className="profile-column" key={column.name}>
              <div className="file"><b className="mono grow">{column.name}</b><Tag>{column.type}</Tag></div>
              <div className="muted small">about {amount(Number(different ?? 0))} different{missing > 0 && `, ${amount(missing)} missing (${((100 * missing) / all).toFixed(1)} %)`}</div>
              <div className="small mono clip">{low ?? "–"} … {high ?? "–"}</div>
              {Number(different ?? 0) <= 1000 && Number(different ?? 0) > 0 && <Frequent name={name} column={column.name} total={all} />}
            </div>
          );
        })}
      </div>
    </>
  );
}

function Frequent({ name, column, total }: { name: string; column: string; total: number }) {
  const quoted = quoteName(column.toLowerCase());
  const top = useQuery({
    queryKey: ["profile", name, "top", column],
    staleTime: 60_000,
    queryFn: ({ signal }) => rows(`SELECT CAST(${quoted} AS varchar), count(*) FROM ${name} GROUP BY 1 ORDER BY 2 DESC LIMIT ${FREQUENT}`, { signal }),
  });
  return (
    <div>
      {top.data?.rows.map(([value, count]) => (
        <div className="profile-bar" key={value ?? "NULL"}>
          <i style={{ width: `${(100 * Number(count)) / Math.max(1, total)}%` }} />
          <span className={value === null ? "grid-null" : ""}>{value ?? "NULL"}</span><span className="right">{amount(Number(count))}</span>
        </div>
      ))}
    </div>
  );
}
