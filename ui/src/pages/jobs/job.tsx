/** One job: its graph, settings, text and script; checked, previewed, saved and run. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Play, Plus, Save, ShieldCheck, TableProperties } from "lucide-react";
import { useMemo, useState } from "react";
import { diagnosisFrom, follow, operation } from "../../shared/api";
import { useDraft } from "../../shared/draft";
import { ago } from "../../shared/format";
import { RowsGrid } from "../../shared/grid";
import { Link, navigate, path } from "../../shared/router";
import type { Cell, Diagnosis, Finding, Run, StoredJob } from "../../shared/types";
import { diagnosisOf, resultOf } from "../../shared/types";
import { Button, Card, CopyButton, DiagnosisBox, Dialog, Empty, ErrorBox, Field, Loading, Page, StateBadge, Tabs, useNow } from "../../shared/ui";
import { mustBeNew } from ".";
import { addNode, graph, nameOf, NEW, removeNode, setInput, setSetting } from "./definition";
import { Flow } from "./flow";
import { Settings } from "./settings";

const TABS = [["graph", "Graph"], ["text", "Definition"], ["pyspark", "Glue script"], ["athena", "Athena SQL"], ["runs", "Runs"]] as const;
type Tab = (typeof TABS)[number][0];

interface NodePreview {
  id: string;
  name: string;
  rows: { columns: [string, string][]; rows: Cell[][] } | null;
  error: Diagnosis | null;
}

export default function Job({ name }: { name: string }) {
  const job = useQuery({ queryKey: ["jobs", name], queryFn: () => operation<[StoredJob, unknown]>("show-job", { name }) });
  if (job.isError && !job.data) return <Page title={name}><ErrorBox error={job.error} /></Page>;
  if (!job.data) return <Loading />;
  return <Opened key={name} job={job.data[0]} />;
}

function Opened({ job }: { job: StoredJob }) {
  const client = useQueryClient();
  const { text, setText, isChangedElsewhere, take, saved } = useDraft(job.definition);
  const [tab, setTab] = useState<Tab>("graph");
  const [picked, setPicked] = useState<string | null>(null);
  const [starting, setStarting] = useState(false);
  const [said, setSaid] = useState<{ good?: string; wrong: Diagnosis[] } | null>(null);
  const shape = useMemo(() => graph(text), [text]);
  const isChanged = text !== job.definition;
  const definition: [string, string] = [text, job.source_name];
  const runs = useQuery({ queryKey: ["runs", "job", job.name], queryFn: () => operation<Run[]>("list-runs", { kind: "job", states: [], limit: 50, name: job.name }) });
  const last = runs.data?.find((run) => run.state === "succeeded");
  const rows = useMemo(() => {
    const report = last ? resultOf<{ nodes?: { id: string; rows_out: number }[] }>(last) : null;
    return new Map((report?.nodes ?? []).map((node) => [node.id, node.rows_out]));
  }, [last]);

  const check = useMutation({
    mutationFn: () => operation<Finding[]>("check-jobs", { texts: [{ name: job.source_name, text }] }),
    onSuccess: (found) => setSaid({ good: found.length === 0 ? "No mistake was found." : undefined, wrong: found.map((one) => one.diagnosis) }),
    onError: (error) => setSaid({ wrong: [diagnosisFrom(error)] }),
  });
  const keep = useMutation({
    mutationFn: async () => {
      const name = nameOf(text, job.source_name);
      if (name !== job.name) await mustBeNew(name);
      return operation<[string, boolean]>("save-job", { definition: { name: job.source_name, text }, replaces: name === job.name ? job.definition : null });
    },
    onSuccess: async ([name]) => {
      setSaid({ good: "Saved.", wrong: [] });
      saved(text);
      await client.invalidateQueries({ queryKey: ["jobs"] });
      if (name !== job.name) navigate(path("jobs", name));
    },
    onError: (error) => {
      setSaid({ wrong: [diagnosisFrom(error)] });
      // What somebody else has kept meanwhile is shown.
      void client.invalidateQueries({ queryKey: ["jobs", job.name] });
    },
  });
  const preview = useMutation({
    mutationFn: async () => {
      const started = await operation<{ run: string }>("start-job-preview", { request: { name: null, definition, arguments: {} }, rows: 50 });
      const ended = await follow(started.run, () => undefined);
      const failed = diagnosisOf(ended);
      if (failed) setSaid({ wrong: [failed] });
      return resultOf<NodePreview[]>(ended) ?? [];
    },
    onError: (error) => setSaid({ wrong: [diagnosisFrom(error)] }),
  });
  const wrong = useMemo(() => {
    const all = JSON.stringify(said?.wrong ?? []);
    return new Set(shape.nodes.filter((node) => all.includes(`\`${node.id}\``) || all.includes(`\`${node.name}\``)).map((node) => node.id));
  }, [said, shape]);
  const node = shape.nodes.find((one) => one.id === picked);
  const seen = preview.data?.find((one) => one.id === picked) ?? (preview.data && !picked ? preview.data.at(-1) : undefined);

  return (
    <Page wide title={job.name} subtitle={<><Link href="/jobs">Jobs</Link>{isChanged && " · changed, not saved"}</>}
      actions={(
        <>
          <Button onClick={() => check.mutate()} disabled={check.isPending}><ShieldCheck size={15} />Validate</Button>
          <Button onClick={() => preview.mutate()} disabled={preview.isPending}><TableProperties size={15} />{preview.isPending ? "Reading…" : "Preview"}</Button>
          <Button onClick={() => keep.mutate()} disabled={!isChanged || keep.isPending}><Save size={15} />Save</Button>
          <Button kind="primary" onClick={() => setStarting(true)}><Play size={15} />Run</Button>
        </>
      )}>
      {isChangedElsewhere && <p role="status" className="retyped">It was changed meanwhile; saving yours replaces that. <Button onClick={take}>Take what is kept now</Button></p>}
      {said?.good && <p role="status" className="added">{said.good}</p>}
      {said?.wrong.map((one, index) => <DiagnosisBox key={index} diagnosis={one} />)}
      {shape.problem && <DiagnosisBox diagnosis={{ kind: "invalid_input", what: shape.problem }} />}
      <Tabs tabs={TABS} at={tab} onChange={setTab} label="Views of the job" />
      {tab === "graph" && (
        <>
          <div className="job">
            <div className="page-title" style={{ gap: 12 }}>
              <Flow nodes={shape.nodes} picked={picked} wrong={wrong} rows={rows} onPick={setPicked}
                onJoin={(from, to) => { const target = shape.nodes.find((one) => one.id === to); if (target) setText(setInput(text, target, from, true)); }}
                onPart={(from, to) => { const target = shape.nodes.find((one) => one.id === to); if (target) setText(setInput(text, target, from, false)); }} />
              <div className="actions">
                <Plus size={15} aria-hidden />
                <select aria-label="Add a node" value="" onChange={(event) => {
                  if (!event.target.value) return;
                  const added = addNode(text, event.target.value);
                  setText(added.text);
                  setPicked(added.id);
                }}>
                  <option value="">Add a node…</option>{Object.keys(NEW).map((kind) => <option key={kind}>{kind}</option>)}
                </select>
                <span className="muted small">Draw from the right side of a node to the left side of the next; Delete parts a chosen edge.</span>
              </div>
            </div>
            {node ? (
              <Settings key={node.id} node={node} onChange={(key, value) => setText(setSetting(text, node, key, value))}
                onRemove={() => { setText(removeNode(text, node.id)); setPicked(null); }} />
            ) : <Card><Empty title="Choose a node">Its settings are shown here, and its first rows after a preview.</Empty></Card>}
          </div>
          {seen && (
            <Card flush title={`First rows behind ${seen.name}`}>
              {seen.error && <div className="card-body"><DiagnosisBox diagnosis={seen.error} /></div>}
              {seen.rows && (seen.rows.rows.length === 0 ? <Empty title="No rows come out of this node" />
                : <RowsGrid label={`First rows behind ${seen.name}`} columns={seen.rows.columns.map(([column, type]) => ({ name: column, type }))} rows={seen.rows.rows} />)}
            </Card>
          )}
        </>
      )}
      {tab === "text" && <textarea aria-label="Definition" rows={30} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />}
      {(tab === "pyspark" || tab === "athena") && <Script language={tab} definition={definition} />}
      {tab === "runs" && <JobRuns runs={runs.data} />}
      {starting && <Start job={job} text={text} isChanged={isChanged} given={shape.arguments} onClose={() => setStarting(false)} />}
    </Page>
  );
}

function Script({ language, definition }: { language: string; definition: [string, string] }) {
  const script = useQuery({
    queryKey: ["script", language, definition],
    queryFn: () => operation<string>("write-job-script", { request: { name: null, definition, arguments: {} }, language }),
  });
  if (script.isError) return <ErrorBox error={script.error} />;
  if (!script.data) return <Loading />;
  return <Card title={language === "pyspark" ? "The same job as a Glue script" : "The same job as Athena's SQL"} actions={<CopyButton text={script.data} />}><pre className="code" tabIndex={0}>{script.data}</pre></Card>;
}

function JobRuns({ runs }: { runs?: Run[] }) {
  const now = useNow();
  if (!runs?.length) return <Card><Empty title="The job did not run yet" /></Card>;
  return (
    <Card flush>
      <table className="list">
        <tbody>{runs.map((run) => <tr key={run.id}><td><Link className="mono" href={path("runs", run.id)}>{run.id}</Link></td><td><StateBadge state={run.state} /></td><td className="muted">{ago(run.created, now)}</td></tr>)}</tbody>
      </table>
    </Card>
  );
}

function Start({ job, text, isChanged, given, onClose }: { job: StoredJob; text: string; isChanged: boolean; given: Record<string, string>; onClose: () => void }) {
  const [values, setValues] = useState(given);
  const start = useMutation({
    mutationFn: () => operation<{ run: string }>("start-job", {
      request: { name: isChanged ? null : job.name, definition: isChanged ? [text, job.source_name] : null, arguments: values },
    }),
    onSuccess: ({ run }) => navigate(path("runs", run)),
  });
  return (
    <Dialog title={`Run ${job.name}`} onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); start.mutate(); }}>
        {isChanged && <p className="muted">The graph as it is on the page runs; it is not saved yet.</p>}
        {Object.keys(values).length === 0 && <p className="muted">The job takes no arguments.</p>}
        {Object.entries(values).map(([name, value]) => (
          <Field key={name} label={name}><input value={value} onChange={(event) => setValues({ ...values, [name]: event.target.value })} /></Field>
        ))}
        {start.isError && <ErrorBox error={start.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={start.isPending}>Start</Button></div>
      </form>
    </Dialog>
  );
}
