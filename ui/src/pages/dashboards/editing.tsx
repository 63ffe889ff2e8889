/** Editing in place: panels by form, moved and sized by buttons (or where they are drawn), and the whole as JSON. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { send } from "../../shared/api";
import { navigate } from "../../shared/router";
import { Button, Card, ErrorBox, Field, Tabs } from "../../shared/ui";
import { type Dashboard, type Panel, sqlOf, databaseOf } from "./model";
import { save } from ".";
import { passing } from "./grips";
import { moved } from "./layout";
import { PANELS } from "./panels";

const TABS = [["panels", "Panels"], ["json", "JSON"]] as const;
const UNITS = ["", "none", "short", "percent", "percentunit", "ms", "s", "bytes", "decbytes", "reqps"];

/** A panel below all others, with a query to begin with. */
export function added(model: Dashboard): Dashboard {
  const bottom = Math.max(0, ...model.panels.map((panel) => (panel.gridPos?.y ?? 0) + (panel.gridPos?.h ?? 0)));
  const id = Math.max(0, ...model.panels.map((panel) => panel.id ?? 0)) + 1;
  const panel: Panel = {
    id, type: "table", title: "New panel", gridPos: { x: 0, y: bottom, w: 12, h: 8 },
    datasource: { type: "grafana-athena-datasource", uid: "${DS_ATHENA}" },
    targets: [{ refId: "A", rawSQL: "SELECT 1 AS answer", format: 1, connectionArgs: { database: "default" } }],
    fieldConfig: { defaults: {}, overrides: [] }, options: {},
  };
  return { ...model, panels: [...model.panels, panel] };
}

export function Editing({ name, model, draft, at, onDraft: setDraft, onPick: setAt, etag, onSaved }: {
  name: string;
  model: Dashboard;
  /** What is edited, and drawn below. */
  draft: Dashboard;
  /** Which of its panels is picked. */
  at: number;
  onDraft: (draft: Dashboard) => void;
  onPick: (at: number) => void;
  etag: string | null;
  onSaved: () => void;
}) {
  const client = useQueryClient();
  const [tab, setTab] = useState<"panels" | "json">("panels");
  // Of the state that the draft began with: what others save meanwhile is not overwritten.
  const [base] = useState(etag);
  const [text, setText] = useState(() => JSON.stringify(model, null, 2));
  const keep = useMutation({
    mutationFn: () => save(name, tab === "json" ? (JSON.parse(text) as Dashboard) : draft, base),
    onSuccess: () => {
      onSaved();
      navigate(location.pathname, { replace: true });
    },
  });
  const drop = useMutation({
    mutationFn: () => send(`/dashboards/${encodeURIComponent(name)}`, { method: "DELETE" }),
    onSuccess: () => {
      // The list alone: what is deleted is not asked for once more.
      void client.invalidateQueries({ queryKey: ["dashboards"], exact: true });
      navigate("/dashboards");
    },
  });
  const panel = draft.panels[at];
  const change = (by: Partial<Panel>) => setDraft({ ...draft, panels: draft.panels.map((one, index) => (index === at ? { ...one, ...by } : one)) });
  const move = (x: number, y: number, w: number, h: number) => {
    const own = panel?.gridPos ?? { x: 0, y: 0, w: 12, h: 8 };
    const width = Math.min(24, Math.max(2, own.w + w));
    setDraft({ ...draft, panels: moved(draft.panels, at, { x: own.x + x, y: own.y + y * passing(draft.panels, at, y), w: width, h: own.h + h }) });
  };
  const target = panel?.targets?.[0];
  return (
    <Card title="Edit" actions={(
      <>
        <Button kind="danger" onClick={() => confirm(`Delete the dashboard ${model.title}?`) && drop.mutate()}><Trash2 size={14} />Delete</Button>
        <Button kind="primary" disabled={keep.isPending} onClick={() => keep.mutate()}>Save</Button>
      </>
    )}>
      <Tabs tabs={TABS} at={tab} label="How to edit" onChange={(next) => {
        if (next === "json") setText(JSON.stringify(draft, null, 2));
        else {
          try {
            setDraft(JSON.parse(text) as Dashboard);
          } catch {
            // What cannot be read stays in its tab; saving it says what is wrong.
            return;
          }
        }
        setTab(next);
      }} />
      {keep.isError && <ErrorBox error={keep.error} />}
      {drop.isError && <ErrorBox error={drop.error} />}
      {tab === "json" && <textarea aria-label="The dashboard's JSON" rows={22} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />}
      {tab === "panels" && (
        <>
          <div className="actions">
            <Field label="Dashboard title"><input value={draft.title} onChange={(event) => setDraft({ ...draft, title: event.target.value })} /></Field>
            <Field label="Panel">
              <select value={at} onChange={(event) => setAt(Number(event.target.value))}>
                {draft.panels.map((one, index) => <option key={one.id ?? index} value={index}>{one.title || one.type}</option>)}
              </select>
            </Field>
            <Button onClick={() => { const next = added(draft); setDraft(next); setAt(next.panels.length - 1); }}><Plus size={14} />Add a panel</Button>
          </div>
          {panel && (
            <>
              <div className="actions">
                <Field label="Title"><input value={panel.title ?? ""} onChange={(event) => change({ title: event.target.value })} /></Field>
                <Field label="Kind"><select value={panel.type} onChange={(event) => change({ type: event.target.value })}>{Object.keys(PANELS).map((kind) => <option key={kind}>{kind}</option>)}</select></Field>
                <Field label="Unit">
                  <select value={panel.fieldConfig?.defaults?.unit ?? ""} onChange={(event) => change({ fieldConfig: { ...panel.fieldConfig, defaults: { ...panel.fieldConfig?.defaults, unit: event.target.value || undefined } } })}>
                    {UNITS.map((unit) => <option key={unit} value={unit}>{unit || "none given"}</option>)}
                  </select>
                </Field>
                <div className="field" role="group" aria-label="Place">
                  <span className="field-label">Place</span>
                  <div className="actions">
                    <Button aria-label="Left" onClick={() => move(-1, 0, 0, 0)}><ArrowLeft size={14} /></Button><Button aria-label="Right" onClick={() => move(1, 0, 0, 0)}><ArrowRight size={14} /></Button>
                    <Button aria-label="Up" onClick={() => move(0, -1, 0, 0)}><ArrowUp size={14} /></Button><Button aria-label="Down" onClick={() => move(0, 1, 0, 0)}><ArrowDown size={14} /></Button>
                  </div>
                </div>
                <div className="field" role="group" aria-label="Size">
                  <span className="field-label">Size {panel.gridPos?.w ?? 12} × {panel.gridPos?.h ?? 8}</span>
                  <div className="actions">
                    <Button onClick={() => move(0, 0, -1, 0)}>narrower</Button><Button onClick={() => move(0, 0, 1, 0)}>wider</Button>
                    <Button onClick={() => move(0, 0, 0, -1)}>lower</Button><Button onClick={() => move(0, 0, 0, 1)}>higher</Button>
                  </div>
                </div>
                <Field label="Repeat by" hint="drawn once for each value">
                  <select value={panel.repeat ?? ""} onChange={(event) => change({ repeat: event.target.value || undefined, repeatDirection: panel.repeatDirection ?? "h" })}>
                    <option value="">no variable</option>{(draft.templating?.list ?? []).map((one) => <option key={one.name} value={one.name}>{one.label || one.name}</option>)}
                  </select>
                </Field>
                <Button kind="danger" onClick={() => { setDraft({ ...draft, panels: draft.panels.filter((_, index) => index !== at) }); setAt(Math.max(0, at - 1)); }}><Trash2 size={14} />Remove the panel</Button>
              </div>
              {target && (
                <>
                  <Field label="Query" hint="Macros such as $__timeFilter(column) and $__timeGroup(column, $__interval), variables such as $name">
                    <textarea rows={7} spellCheck={false} value={sqlOf(target)} onChange={(event) => change({ targets: [{ ...target, rawSql: undefined, rawSQL: event.target.value }, ...(panel.targets ?? []).slice(1)] })} />
                  </Field>
                  <Field label="Database"><input value={databaseOf(target)} onChange={(event) => change({ targets: [{ ...target, connectionArgs: { ...target.connectionArgs, database: event.target.value } }, ...(panel.targets ?? []).slice(1)] })} /></Field>
                </>
              )}
            </>
          )}
        </>
      )}
    </Card>
  );
}
