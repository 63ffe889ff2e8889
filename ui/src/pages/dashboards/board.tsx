/** One dashboard: variables, time range and refresh on top, panels below. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, Download, Pencil, RefreshCw } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, keepFile, send } from "../../shared/api";
import { Link, path, useSearch } from "../../shared/router";
import { useSame } from "../../shared/same";
import { Button, Card, Empty, ErrorBox, Loading, Page } from "../../shared/ui";
import { Editing } from "./editing";
import { queries, useAnnotations } from "./annotations";
import { type Dashboard, type Panel } from "./model";
import { exported, provisioning, type Source } from "./export";
import { moved, type Place } from "./layout";
import { PanelCard } from "./panel";
import { RangePicker } from "./range";
import { drawn } from "./repeat";
import { useVariables, VariableBar } from "./variable-bar";
import { fillTitle, values } from "./variables";
import { millisOf, steady } from "./time";

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
  // What is open stays when it cannot be read once more: it may be half edited.
  if (read.isError && !read.data) {
    const isGone = read.error instanceof ApiError && read.error.status === 404;
    return (
      <Page title={name}>
        {isGone ? <Card><Empty title="There is no dashboard of this name" actions={<Link className="button" href="/dashboards">All dashboards</Link>} /></Card> : <ErrorBox error={read.error} />}
      </Page>
    );
  }
  if (!read.data) return <Loading />;
  return <Shown name={name} model={read.data.model} etag={read.data.etag} error={read.error} onSaved={() => void client.invalidateQueries({ queryKey: ["dashboards"] })} />;
}

function Shown({ name, model, etag, error, onSaved }: { name: string; model: Dashboard; etag: string | null; error: Error | null; onSaved: () => void }) {
  const [search, setSearch] = useSearch();
  const [closed, setClosed] = useState<Record<string, boolean>>({});
  const [draft, setDraft] = useState(model);
  const [picked, setPicked] = useState(0);
  const isEditing = search.get("edit") === "1";
  // What is saved anew is what is edited from then on, but not in the midst of editing.
  const began = useRef(model);
  useEffect(() => {
    if (isEditing || began.current === model) return;
    began.current = model;
    setDraft(model);
  }, [model, isEditing]);
  const [from, to] = [search.get("from") ?? model.time?.from ?? "now-6h", search.get("to") ?? model.time?.to ?? "now"];
  const refresh = search.get("refresh") ?? (model.refresh || "");
  const [tick, setTick] = useState(0);
  const range = useSame(useMemo(() => steady(from, to, Date.now()), [from, to, tick]));
  useEffect(() => {
    const every = refresh ? millisOf(refresh) : Number.NaN;
    if (!Number.isFinite(every) || every < 1000) return;
    const timer = setInterval(() => setTick((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [refresh]);
  const list = useMemo(() => model.templating?.list ?? [], [model]);
  const variables = useVariables(list, range ?? { from: 0, to: 1 }, search);
  const marks = queries(model);
  const off = marks.filter((one) => (search.get(`anno-${one.name}`) ?? (one.enable === false ? "off" : "on")) === "off").map((one) => one.name);
  const annotations = useAnnotations(model, range, variables, off, tick);
  // While a query is written it is not asked: until it is saved, the saved one is.
  const shown = useMemo(() => (isEditing ? { ...draft, panels: draft.panels.map((panel) => ({ ...panel, targets: model.panels.find((one) => one.id !== undefined && one.id === panel.id)?.targets })) } : model), [isEditing, draft, model]);
  const { chosen, options } = variables;
  const parts = useMemo(() => drawn(shown, (name) => {
    // While it is edited, a panel stands where its file says.
    const variable = isEditing ? undefined : list.find((one) => one.name === name);
    return variable ? values(variable, chosen, options) : [];
  }), [shown, isEditing, list, chosen, options]);
  const place = useCallback((base: Panel[], index: number, to: Place) => {
    setPicked(index);
    setDraft((before) => ({ ...before, panels: moved(base, index, to) }));
  }, []);

  const take = (kind: Source) => keepFile(`${name}-${kind}.json`, JSON.stringify(exported(model, kind), null, 2), "application/json");
  const source = (kind: Source) => keepFile(`${kind}.yaml`, provisioning(kind, location.hostname), "application/yaml");
  const isOpen = (row: Panel | null, key: string) => !row || !(closed[key] ?? row.collapsed ?? false);
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
          <select aria-label="Export" value="" onChange={(event) => { const [what, kind] = event.target.value.split(" "); if (kind) (what === "source" ? source : take)(kind as Source); }}>
            <option value="">Export…</option><option value="take athena">for Grafana with Athena</option><option value="take postgres">for Grafana with PostgreSQL</option>
            <option value="source athena">Grafana's data source: Athena</option><option value="source postgres">Grafana's data source: PostgreSQL</option>
          </select>
          <Button aria-pressed={isEditing} onClick={() => setSearch({ edit: isEditing ? null : "1" })}><Pencil size={14} />Edit</Button>
        </>
      )}>
      {error !== null && <ErrorBox error={error} />}
      {variables.error !== null && <ErrorBox error={variables.error} />}
      <VariableBar list={list} state={variables} onChoose={(variable, values) => setSearch({ [`var-${variable}`]: values })} />
      {marks.some((one) => !one.hide) && (
        <div className="actions" role="group" aria-label="Annotations">
          {marks.filter((one) => !one.hide).map((one) => (
            <label key={one.name} className="check small"><input type="checkbox" checked={!off.includes(one.name)} onChange={(event) => setSearch({ [`anno-${one.name}`]: event.target.checked ? "on" : "off" })} />{one.name}</label>
          ))}
        </div>
      )}
      {annotations.error !== null && <ErrorBox error={annotations.error} />}
      {isEditing && <Editing name={name} model={model} draft={draft} at={picked} onDraft={setDraft} onPick={setPicked} etag={etag} onSaved={onSaved} />}
      {!range && <ErrorBox error={new Error(`the time range from \`${from}\` to \`${to}\` cannot be read`)} />}
      {shown.panels.length === 0 && !isEditing && <Card><Empty title="The dashboard has no panel" actions={<Button onClick={() => setSearch({ edit: "1" })}>Add one</Button>} /></Card>}
      {range && variables.ready && parts.map(({ row, key, chosen: own, panels }) => {
        const top = Math.min(...panels.map(({ panel }) => panel.gridPos?.y ?? 0));
        return (
          <div key={key}>
            {row && (
              <button type="button" className="board-row" aria-expanded={isOpen(row, key)} onClick={() => setClosed({ ...closed, [key]: isOpen(row, key) })}>
                {isOpen(row, key) ? <ChevronDown size={15} /> : <ChevronRight size={15} />}{fillTitle(row.title ?? "", list, { ...chosen, ...own }, options)}
              </button>
            )}
            {isOpen(row, key) && (
              <div className="board">
                {panels.map((one) => {
                  const index = isEditing ? draft.panels.findIndex((panel) => panel.id !== undefined && panel.id === one.panel.id) : -1;
                  return (
                    <PanelCard key={one.key} panel={one.panel} top={top} range={range} variables={variables} own={one.chosen} annotations={annotations.all} tick={tick}
                      grips={index >= 0 ? { panels: draft.panels, index, isPicked: index === picked, onPlace: place } : undefined} />
                  );
                })}
              </div>
            )}
          </div>
        );
      })}
      <p className="muted small file"><Download size={13} />Kept as Grafana's JSON in the lake; <Link href={path("dashboards", name)}>{name}.json</Link></p>
    </Page>
  );
}
