/** Dashboards: the list, taking one in, making one. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Import, LayoutDashboard, Plus } from "lucide-react";
import { useState } from "react";
import { get, send } from "../../shared/api";
import { Link, navigate, path, usePath } from "../../shared/router";
import type { DashboardEntry } from "../../shared/types";
import { Button, Card, Dialog, Empty, ErrorBox, Field, Loading, Page, Tag } from "../../shared/ui";
import { Board } from "./board";
import { type Dashboard, nameFor } from "./model";

export function save(name: string, dashboard: Dashboard, etag?: string | null): Promise<Response> {
  return send(`/dashboards/${encodeURIComponent(name)}`, {
    method: "PUT", body: JSON.stringify(dashboard), headers: { "content-type": "application/json", ...(etag ? { "if-match": etag } : {}) },
  });
}

export default function Dashboards() {
  const [, name] = usePath();
  return name ? <Board key={name} name={name} /> : <List />;
}

function List() {
  const client = useQueryClient();
  const [importing, setImporting] = useState(false);
  const list = useQuery({ queryKey: ["dashboards"], queryFn: () => get<DashboardEntry[]>("/dashboards") });
  const make = useMutation({
    mutationFn: async () => {
      const title = prompt("A title for the dashboard");
      if (!title) return null;
      const made: Dashboard = { title, uid: nameFor({ title, panels: [] }), time: { from: "now-24h", to: "now" }, panels: [], schemaVersion: 39, templating: { list: [] } };
      await save(made.uid ?? title, made);
      return made.uid ?? null;
    },
    onSuccess: (name) => {
      void client.invalidateQueries({ queryKey: ["dashboards"] });
      if (name) navigate(`${path("dashboards", name)}?edit=1`);
    },
  });
  return (
    <Page title="Dashboards" subtitle="Grafana's dashboards over the lake's tables"
      actions={(
        <>
          <Button onClick={() => setImporting(true)}><Import size={15} />Import</Button>
          <Button kind="primary" onClick={() => make.mutate()}><Plus size={15} />New dashboard</Button>
        </>
      )}>
      {make.isError && <ErrorBox error={make.error} />}
      {list.isError && <ErrorBox error={list.error} />}
      {list.isPending && <Loading />}
      {list.data && (
        <Card flush>
          {list.data.length === 0 ? (
            <Empty icon={<LayoutDashboard size={22} />} title="No dashboard yet" actions={<Button kind="primary" onClick={() => setImporting(true)}>Import one</Button>}>
              A dashboard is Grafana's JSON, kept in the lake. Import one that asks Athena or PostgreSQL, or make a new one.
            </Empty>
          ) : (
            <table className="list">
              <thead><tr><th>Dashboard</th><th className="right">Panels</th><th>Tags</th><th>File</th></tr></thead>
              <tbody>
                {list.data.map((one) => (
                  <tr key={one.name}>
                    <td><Link href={path("dashboards", one.name)}>{one.title}</Link>{one.error && <div className="removed small">{one.error}</div>}</td>
                    <td className="right">{one.panels}</td>
                    <td><div className="actions">{one.tags.map((tag) => <Tag key={tag}>{tag}</Tag>)}</div></td>
                    <td className="mono muted small">{one.uri}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Card>
      )}
      {importing && <Importing onClose={() => setImporting(false)} />}
    </Page>
  );
}

function Importing({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const take = useMutation({
    mutationFn: async () => {
      const model = JSON.parse(text) as Dashboard;
      const name = nameFor(model);
      await save(name, model);
      return name;
    },
    onSuccess: (name) => {
      void client.invalidateQueries({ queryKey: ["dashboards"] });
      navigate(path("dashboards", name));
    },
  });
  return (
    <Dialog title="Import a dashboard" onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); take.mutate(); }}>
        <p className="muted">The JSON that Grafana exports. Its queries are read as Athena's SQL, with the macros of Athena's and PostgreSQL's data sources.</p>
        <Field label="File"><input type="file" accept=".json,application/json" onChange={(event) => void event.target.files?.[0]?.text().then(setText)} /></Field>
        <Field label="or its text"><textarea rows={8} value={text} onChange={(event) => setText(event.target.value)} required /></Field>
        {take.isError && <ErrorBox error={take.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={!text.trim() || take.isPending}>Import</Button></div>
      </form>
    </Dialog>
  );
}
