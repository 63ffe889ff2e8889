/** Jobs: the list, and each as a graph. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Workflow } from "lucide-react";
import { useState } from "react";
import { mustBeFree, operation } from "../../shared/api";
import { ago, time, took } from "../../shared/format";
import { onDemand } from "../../shared/on-demand";
import { Link, navigate, path, usePath } from "../../shared/router";
import type { Run, StoredJob } from "../../shared/types";
import { Button, Card, Dialog, Empty, ErrorBox, Field, Loading, Page, StateBadge, useNow } from "../../shared/ui";
import { nameOf } from "./definition";

const Job = onDemand(() => import("./job"), <Loading />);
const FIRST = "Name: my-job\nDefaultArguments:\n  --output: s3://results/\nCodeGenConfigurationNodes: {}\n";

export default function Jobs() {
  const [, name] = usePath();
  return name ? <Job key={name} name={name} /> : <List />;
}

function List() {
  const client = useQueryClient();
  const now = useNow();
  const [adding, setAdding] = useState(false);
  const jobs = useQuery({ queryKey: ["jobs"], queryFn: () => operation<StoredJob[]>("list-jobs", {}) });
  const runs = useQuery({ queryKey: ["runs", "jobs"], queryFn: () => operation<Run[]>("list-runs", { kind: "job", states: [], limit: 500 }) });
  return (
    <Page title="Jobs" subtitle="Glue's visual jobs, run by this server" actions={<Button kind="primary" onClick={() => setAdding(true)}><Plus size={15} />Add a job</Button>}>
      {jobs.isError && <ErrorBox error={jobs.error} />}
      {jobs.isPending && <Loading />}
      {jobs.data && (
        <Card flush>
          {jobs.data.length === 0 ? (
            <Empty icon={<Workflow size={22} />} title="No job is kept yet" actions={<Button kind="primary" onClick={() => setAdding(true)}>Add one</Button>}>
              A job is a graph of sources, transforms and targets: the JSON of Glue Studio, or the same as YAML. <code>glulam job create job.yaml</code> keeps one too.
            </Empty>
          ) : (
            <table className="list">
              <thead><tr><th>Job</th><th>Last run</th><th className="right">Took</th><th>Changed (UTC)</th></tr></thead>
              <tbody>
                {jobs.data.map((job) => {
                  const last = runs.data?.find((run) => run.name === job.name);
                  return (
                    <tr key={job.name}>
                      <td><Link href={path("jobs", job.name)}>{job.name}</Link><div className="muted small">{job.source_name}</div></td>
                      <td>{last ? <Link href={path("runs", last.id)} className="file"><StateBadge state={last.state} /><span className="muted small">{ago(last.created, now)}</span></Link> : <span className="muted">never</span>}</td>
                      <td className="right">{last ? took(last, now) : "–"}</td>
                      <td className="muted nowrap">{time(job.modified)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          )}
        </Card>
      )}
      {adding && <Adding onClose={() => setAdding(false)} onAdded={(name) => { void client.invalidateQueries({ queryKey: ["jobs"] }); navigate(path("jobs", name)); }} />}
    </Page>
  );
}

/** Refuses the name of a job that is kept: saving would replace it. */
export function mustBeNew(name: string): Promise<void> {
  return mustBeFree("show-job", name, `there is a job \`${name}\` already`, "give this one another `Name`, or change that one on its own page");
}

function Adding({ onClose, onAdded }: { onClose: () => void; onAdded: (name: string) => void }) {
  const [text, setText] = useState(FIRST);
  const [file, setFile] = useState("job.yaml");
  const keep = useMutation({
    mutationFn: async () => {
      await mustBeNew(nameOf(text, file));
      return operation<[string, boolean]>("save-job", { definition: { name: file, text } });
    },
    onSuccess: ([name]) => onAdded(name),
  });
  return (
    <Dialog title="Add a job" onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); keep.mutate(); }}>
        <Field label="File"><input type="file" accept=".json,.yaml,.yml" onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) void chosen.text().then((read) => { setText(read); setFile(chosen.name); });
        }} /></Field>
        <Field label="or its text"><textarea rows={12} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} /></Field>
        {keep.isError && <ErrorBox error={keep.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={keep.isPending}>Keep it</Button></div>
      </form>
    </Dialog>
  );
}
