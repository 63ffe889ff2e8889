/** Beside the editor: tables to choose from, queries that ran, queries that were kept. */

import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, Columns3, Table2, Trash2 } from "lucide-react";
import { useState } from "react";
import { operation, quoteName } from "../../shared/api";
import { ago } from "../../shared/format";
import type { Run } from "../../shared/types";
import { Button, Empty, StateBadge, Tabs, useNow } from "../../shared/ui";
import type { Saved } from ".";
import type { Known } from "./language";

const TABS = [["tables", "Tables"], ["history", "History"], ["saved", "Saved"]] as const;

export function Side({ known, database, saved, onInsert, onOpen, onForget }: {
  known: Known;
  database: string;
  saved: Saved[];
  onInsert: (name: string) => void;
  onOpen: (sql: string) => void;
  onForget: (name: string) => void;
}) {
  const [tab, setTab] = useState<(typeof TABS)[number][0]>("tables");
  return (
    <aside className="query-side" aria-label="Tables and queries">
      <Tabs tabs={TABS} at={tab} onChange={setTab} label="Beside the editor" />
      <div className="query-side-body">
        {tab === "tables" && <Tables known={known} database={database} onInsert={onInsert} />}
        {tab === "history" && <History onOpen={onOpen} />}
        {tab === "saved" && (saved.length === 0 ? <Empty title="No query is kept">Save one, and it stays in this browser.</Empty> : (
          <ul className="history">
            {saved.map((one) => (
              <li key={one.name} className="file">
                <button type="button" onClick={() => onOpen(one.sql)}><b>{one.name}</b><code>{one.sql}</code></button>
                <Button kind="quiet" aria-label={`Forget ${one.name}`} onClick={() => onForget(one.name)}><Trash2 size={14} /></Button>
              </li>
            ))}
          </ul>
        ))}
      </div>
    </aside>
  );
}

function Tables({ known, database, onInsert }: { known: Known; database: string; onInsert: (name: string) => void }) {
  const [open, setOpen] = useState<string | null>(null);
  if (known.tables.size === 0) return <Empty title="No tables yet">Crawl a folder on the page Lake, or create a table.</Empty>;
  return (
    <div className="tree">
      {[...known.tables].map(([name, tables]) => (
        <div key={name}>
          <div className="tree-head">{name}</div>
          {[...tables].map(([table, columns]) => {
            const full = `${name}.${table}`;
            const written = name === database ? quoteName(table) : `${quoteName(name)}.${quoteName(table)}`;
            return (
              <div key={full}>
                <button type="button" aria-expanded={open === full} onClick={() => setOpen(open === full ? null : full)}
                  onDoubleClick={() => onInsert(written)} title="Click for its columns, double-click to write its name">
                  {open === full ? <ChevronDown size={13} /> : <ChevronRight size={13} />}<Table2 size={13} />
                  <span className="tree-name">{table}</span>
                </button>
                {open === full && columns.map((column) => (
                  <button type="button" key={column.name} className="tree-in2" onClick={() => onInsert(quoteName(column.name))}>
                    <Columns3 size={12} /><span className="tree-name">{column.name}</span><span className="tree-note">{column.type}</span>
                  </button>
                ))}
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}

function History({ onOpen }: { onOpen: (sql: string) => void }) {
  const now = useNow();
  const runs = useQuery({
    queryKey: ["runs", "query"],
    queryFn: () => operation<Run[]>("list-runs", { kind: "query", states: [], limit: 100 }),
  });
  if (!runs.data?.length) return <Empty title="No query ran yet">What you run is listed here, also what the command line ran.</Empty>;
  return (
    <ul className="history">
      {runs.data.map((run) => {
        const sql = String(run.arguments?.sql ?? run.name);
        return (
          <li key={run.id}>
            <button type="button" onClick={() => onOpen(sql)} title={sql}>
              <code>{sql.replace(/\s+/g, " ")}</code>
              <span className="file small muted"><StateBadge state={run.state} />{ago(run.created, now)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
