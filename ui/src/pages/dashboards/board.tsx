/** One dashboard: variables, time range and refresh on top, panels below. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, Download, Pencil, RefreshCw } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { ApiError, send } from "../../shared/api";
import { Link, navigate, path, useSearch } from "../../shared/router";
import { Button, Card, Empty, ErrorBox, Loading, Page } from "../../shared/ui";
import { Editing } from "./editing";
import { type Dashboard, exported, type Panel, sections } from "./model";
import { PanelCard } from "./panel";
import { RangePicker } from "./range";
import { range as rangeOf } from "./time";
import { useVariables, VariableBar } from "./variable-bar";
import { fillTitle } from "./variables";
import { millisOf } from "./time";

export function Board({ name }: { name: string }) {
  const client = useQueryClient();
  const read = useQuery({
    queryKey: ["dashboards", name],
    staleTime: 60_000,
    queryFn: async () => {
      const response = await send(`/dashboards/${encodeURIComponent(name)}`);
      return { model: (await response.json()) as Dashboard, etag: response.headers.get("etag") };
    },
  });
  if (read.isError) {
    const isGone = read.error instanceof ApiError && read.error.status === 404;
    return (
      <Page title={name}>
        {isGone ? <Card><Empty title="There is no dashboard of this name" actions={<Link className="button" href="/dashboards">All dashboards</Link>} /></Card> : <ErrorBox error={read.error} />}
      </Page>
    );
  }
  if (!read.data) return <Loading />;
  return <Shown name={name} model={read.data.model} etag={read.data.etag} onSaved={() => void client.invalidateQueries({ queryKey: ["dashboards"] })} />;
}

function Shown({ name, model, etag, onSaved }: { name: string; model: Dashboard; etag: string | null; onSaved: () => void }) {
  const [search, setSearch] = useSearch();
  const [closed, setClosed] = useState<Record<string, boolean>>({});
  const isEditing = search.get("edit") === "1";
  const [from, to] = [search.get("from") ?? model.time?.from ?? "now-6h", search.get("to") ?? model.time?.to ?? "now"];
  const refresh = search.get("refresh") ?? (model.refresh || "");
  const [tick, setTick] = useState(0);
  const range = useMemo(() => rangeOf(from, to, Date.now()), [from, to, tick]);
  useEffect(() => {
    const every = refresh ? millisOf(refresh) : Number.NaN;
    if (!Number.isFinite(every) || every < 1000) return;
    const timer = setInterval(() => setTick((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [refresh]);
  const list = useMemo(() => model.templating?.list ?? [], [model]);
  const variables = useVariables(list, range ?? { from: 0, to: 1 }, search, setSearch);

  const take = (kind: "athena" | "postgres") => {
    const blob = new Blob([JSON.stringify(exported(model, kind), null, 2)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name}-${kind}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const isOpen = (row: Panel | null) => !row || !(closed[String(row.id)] ?? row.collapsed ?? false);
  return (
    <Page wide title={model.title} subtitle={<><Link href="/dashboards">Dashboards</Link>{model.description ? ` · ${model.description}` : ""}</>}
      actions={(
        <>
          <RangePicker from={from} to={to} onChange={(a, b) => setSearch({ from: a, to: b })} />
          <select aria-label="Refresh" value={refresh} onChange={(event) => setSearch({ refresh: event.target.value || "off" })}>
            {[...new Set(["", "off", "5s", "30s", "1m", "5m", "15m", refresh])].filter((one) => one !== "off").map((one) => <option key={one} value={one}>{one ? `every ${one}` : "no refresh"}</option>)}
            {refresh === "off" && <option value="off">no refresh</option>}
          </select>
          <Button aria-label="Refresh now" onClick={() => setTick(tick + 1)}><RefreshCw size={15} /></Button>
          <select aria-label="Export" value="" onChange={(event) => event.target.value && take(event.target.value as "athena" | "postgres")}>
            <option value="">Export…</option><option value="athena">for Grafana with Athena</option><option value="postgres">for Grafana with PostgreSQL</option>
          </select>
          <Button aria-pressed={isEditing} onClick={() => setSearch({ edit: isEditing ? null : "1" })}><Pencil size={14} />Edit</Button>
        </>
      )}>
      {variables.error !== null && <ErrorBox error={variables.error} />}
      <VariableBar list={list} state={variables} onChoose={(variable, values) => setSearch({ [`var-${variable}`]: values })} />
      {isEditing && <Editing name={name} model={model} etag={etag} onSaved={() => { onSaved(); }} />}
      {!range && <ErrorBox error={new Error(`the time range from \`${from}\` to \`${to}\` cannot be read`)} />}
      {model.panels.length === 0 && !isEditing && <Card><Empty title="The dashboard has no panel" actions={<Button onClick={() => setSearch({ edit: "1" })}>Add one</Button>} /></Card>}
      {range && variables.ready && sections(model).map(({ row, panels }, index) => {
        const top = Math.min(...panels.map((panel) => panel.gridPos?.y ?? 0));
        return (
          <div key={row?.id ?? index}>
            {row && (
              <button type="button" className="board-row" aria-expanded={isOpen(row)} onClick={() => setClosed({ ...closed, [String(row.id)]: isOpen(row) })}>
                {isOpen(row) ? <ChevronDown size={15} /> : <ChevronRight size={15} />}{fillTitle(row.title ?? "", list, variables.chosen, variables.options)}
              </button>
            )}
            {isOpen(row) && (
              <div className="board">
                {panels.map((panel) => (
                  <PanelCard key={panel.id ?? panel.title} panel={panel} top={top} dashboard={model} range={range} variables={variables} tick={tick}
                    onOpen={(url) => navigate(url)} />
                ))}
              </div>
            )}
          </div>
        );
      })}
      <p className="muted small file"><Download size={13} />Kept as Grafana's JSON in the lake; <Link href={path("dashboards", name)}>{name}.json</Link></p>
    </Page>
  );
}
