/** One application: what it is at, its dataflow, its script, what is kept of its state; started and stopped here. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Camera, Play, Square, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { operation } from "../../shared/api";
import { ago, amount, duration } from "../../shared/format";
import { rate, rates } from "../../shared/pulse";
import { Link, navigate, path, useSearch } from "../../shared/router";
import { Sparkline } from "../../shared/sparkline";
import { diagnosisOf } from "../../shared/types";
import { Button, Card, DiagnosisBox, Dialog, Empty, ErrorBox, Field, Loading, Page, Tabs, useNow } from "../../shared/ui";
import { Status, useRates, watermark } from "./applications";
import { Dataflow } from "./dataflow";
import { ScriptEditor, useSaving } from "./script";
import { useDraft } from "../../shared/draft";
import type { ApplicationDescription, Snapshot } from "./types";

const TABS = [["flow", "Dataflow"], ["script", "Script"], ["state", "Checkpoints"]] as const;
type Tab = (typeof TABS)[number][0];

export function ApplicationPage({ name }: { name: string }) {
  const client = useQueryClient();
  const [search, setSearch] = useSearch();
  const [isStarting, setStarting] = useState(false);
  const now = useNow(1000);
  const shown = useQuery({ queryKey: ["application", name], refetchOnMount: "always", queryFn: ({ signal }) => operation<ApplicationDescription>("show-application", { name }, signal) });
  const seen = useMemo(() => (shown.data ? [shown.data] : undefined), [shown.data]);
  useRates(seen, shown.dataUpdatedAt);
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ["application", name] });
    void client.invalidateQueries({ queryKey: ["applications"] });
  };
  const act = useMutation({
    mutationFn: ({ what, body }: { what: string; body: object }) => operation(what, { name, ...body }),
    onSuccess: (_, { what }) => {
      if (what !== "delete-application") return refresh();
      // The list alone: what is deleted is not asked for once more.
      void client.invalidateQueries({ queryKey: ["applications"] });
      navigate("/streams/applications");
    },
  });
  const back = <Link href="/streams/applications">Applications</Link>;
  if (shown.isError && !shown.data) return <Page title={name} subtitle={back}><ErrorBox error={shown.error} /></Page>;
  if (!shown.data) return <Loading />;
  const { application, run, flow, mistake, snapshots } = shown.data;
  const isRunning = application.status === "running";
  const counters = run?.counters ?? {};
  const wrong = run && !isRunning ? diagnosisOf(run) : null;
  const latest = snapshots[0];
  const tab = (TABS.find(([key]) => key === search.get("tab"))?.[0] ?? "flow") satisfies Tab;
  return (
    <Page title={name} subtitle={back} actions={(
      <>
        {isRunning ? (
          <>
            <Button disabled={act.isPending} onClick={() => {
              const label = prompt("A name for the snapshot");
              if (label) act.mutate({ what: "snapshot-application", body: { label } });
            }}><Camera size={14} />Snapshot</Button>
            <Button disabled={act.isPending} onClick={() => act.mutate({ what: "stop-application", body: { how: "drain" } })}>Drain and stop</Button>
            <Button disabled={act.isPending} onClick={() => act.mutate({ what: "stop-application", body: { how: "checkpoint" } })}><Square size={14} />Stop</Button>
          </>
        ) : (
          <>
            <Button kind="danger" disabled={act.isPending} onClick={() => confirm(`Delete the application ${name} with its state?`) && act.mutate({ what: "delete-application", body: {} })}><Trash2 size={14} />Delete</Button>
            <Button kind="primary" onClick={() => setStarting(true)}><Play size={14} />Start</Button>
          </>
        )}
      </>
    )}>
      {act.isError && <ErrorBox error={act.error} />}
      {wrong && run?.state === "failed" && <DiagnosisBox diagnosis={wrong} />}
      <div className="stats">
        <div className="stat">
          <span className="stat-name">State</span><span><Status application={application} run={run} /></span>
          <span className="stat-note">{run ? <Link href={path("runs", run.id)}>{isRunning ? `runs since ${ago(run.started ?? run.created, now)}` : "its last run"}</Link> : "it has never run"}</span>
        </div>
        <div className="stat">
          <span className="stat-name">Events</span>{isRunning ? <Sparkline values={rates(`app/${name}`, now)} latest={rate(`app/${name}`, now)} label="Events" /> : <span className="stat-value">{amount(counters.records ?? 0)}</span>}
          <span className="stat-note">{isRunning ? `${amount(counters.records ?? 0)} in this run, ` : ""}{amount(counters.malformed ?? 0)} unreadable</span>
        </div>
        <div className="stat"><span className="stat-name">Lag</span><span className="stat-value">{isRunning ? duration(counters.lag_millis ?? 0) : "–"}</span><span className="stat-note">watermark {watermark(run)}</span></div>
        <div className={counters.late ? "stat stat-bad" : "stat"}><span className="stat-name">Late events</span><span className="stat-value">{amount(counters.late ?? 0)}</span><span className="stat-note">{amount(counters.open_windows ?? 0)} open windows</span></div>
        <div className="stat"><span className="stat-name">Rows written</span><span className="stat-value">{amount(counters.rows_written ?? 0)}</span><span className="stat-note">{latest ? `checkpoint ${latest.number}, ${ago(latest.taken, now)}` : "no checkpoint yet"}</span></div>
      </div>
      <Tabs tabs={TABS} at={tab} label="About the application" onChange={(next) => setSearch({ tab: next === "flow" ? null : next })} />
      {tab === "flow" && (mistake ? <DiagnosisBox diagnosis={mistake} /> : <Dataflow steps={flow} />)}
      {tab === "script" && <Script key={name} name={name} script={application.script} isRunning={isRunning} />}
      {tab === "state" && <State snapshots={snapshots} now={now} onDrop={(label) => act.mutate({ what: "delete-snapshot", body: { label } })} />}
      {isStarting && <Start name={name} snapshots={snapshots} onClose={() => { setStarting(false); refresh(); }} />}
    </Page>
  );
}

function Script({ name, script, isRunning }: { name: string; script: string; isRunning: boolean }) {
  const { text, setText, isChangedElsewhere, take, saved } = useDraft(script);
  const save = useSaving(name, saved, script);
  return (
    <Card title="Script" actions={<Button kind="primary" disabled={text === script || save.isPending} onClick={() => save.mutate(text)}>Keep the change</Button>}>
      {save.isError && <ErrorBox error={save.error} />}
      {isChangedElsewhere && <p role="status" className="retyped">It was changed meanwhile; keeping yours replaces that. <Button onClick={take}>Take what is kept now</Button></p>}
      <ScriptEditor text={text} onChange={setText} />
      {isRunning && <p className="muted small">What runs goes on as it was started; a change counts from the next start. Kept state of other windows or keys cannot be taken up then.</p>}
    </Card>
  );
}

function State({ snapshots, now, onDrop }: { snapshots: Snapshot[]; now: number; onDrop: (label: string) => void }) {
  if (snapshots.length === 0) return <Card><Empty title="Nothing is kept yet">A running application keeps its state every so often, as its script says.</Empty></Card>;
  return (
    <Card flush>
      <table className="list">
        <thead><tr><th>Number</th><th>Snapshot</th><th className="right">Events until then</th><th className="right">Rows written</th><th className="right">Taken</th><th aria-label="Actions" /></tr></thead>
        <tbody>
          {snapshots.map((one) => (
            <tr key={one.number}>
              <td>{one.number}</td><td>{one.name || <span className="muted">checkpoint</span>}</td>
              <td className="right">{amount(one.counters.records ?? 0)}</td><td className="right">{amount(one.counters.rows_written ?? 0)}</td><td className="right nowrap">{ago(one.taken, now)}</td>
              <td className="right">{one.name && <Button kind="quiet" aria-label={`Delete the snapshot ${one.name}`} onClick={() => onDrop(one.name)}><Trash2 size={14} /></Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Start({ name, snapshots, onClose }: { name: string; snapshots: Snapshot[]; onClose: () => void }) {
  const [from, setFrom] = useState("latest");
  const [tasks, setTasks] = useState("");
  const [ends, setEnds] = useState(false);
  const start = useMutation({
    mutationFn: () => operation("start-application", {
      name, script: null,
      options: { from: from === "latest" || from === "beginning" ? from : { snapshot: from.slice(1) }, tasks: tasks ? Number(tasks) : null, until_caught_up: ends },
    }),
    onSuccess: onClose,
  });
  return (
    <Dialog title={`Start ${name}`} onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); start.mutate(); }}>
        <Field label="It begins with">
          <select value={from} onChange={(event) => setFrom(event.target.value)}>
            <option value="latest">its latest checkpoint, if there is one</option>
            <option value="beginning">nothing: where its tables say</option>
            {snapshots.filter((one) => one.name).map((one) => <option key={one.number} value={`=${one.name}`}>the snapshot {one.name}</option>)}
          </select>
        </Field>
        <Field label="Tasks side by side" hint="empty: as its script says"><input type="number" min={1} max={128} value={tasks} onChange={(event) => setTasks(event.target.value)} /></Field>
        <label className="check"><input type="checkbox" checked={ends} onChange={(event) => setEnds(event.target.checked)} />It ends when it has read everything</label>
        {start.isError && <ErrorBox error={start.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={start.isPending}>Start</Button></div>
      </form>
    </Dialog>
  );
}
