/** The lake's files: buckets and folders, uploads by drop, the first rows of any file, crawls. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronRight, Database, Download, File, Folder as FolderIcon, FolderOpen, Plus, Radar, Trash2, Upload } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { download, get, operation, send } from "../../shared/api";
import { bytes, time } from "../../shared/format";
import { Link, navigate, path, useSearch } from "../../shared/router";
import type { Bucket, Folder } from "../../shared/types";
import { Button, Card, Dialog, Empty, ErrorBox, Field, Loading, Page } from "../../shared/ui";
import { Preview } from "./preview";
import { useUploads, Uploads } from "./uploads";

const lakeAt = (uri: string) => `/lake?uri=${encodeURIComponent(uri)}`;

export default function Lake() {
  const [search] = useSearch();
  const given = search.get("uri");
  if (given) return <Browse key={given} uri={given.endsWith("/") ? given : `${given}/`} />;
  return <Buckets />;
}

function Buckets() {
  const [making, setMaking] = useState(false);
  const buckets = useQuery({ queryKey: ["folder", "buckets"], queryFn: () => get<Bucket[]>("/buckets") });
  return (
    <Page title="Lake" subtitle="Files by bucket and folder" actions={<Button onClick={() => setMaking(true)}><Plus size={15} />New bucket</Button>}>
      {buckets.isError && <ErrorBox error={buckets.error} />}
      {buckets.isPending && <Loading />}
      {buckets.data && (
        <Card flush>
          {buckets.data.length === 0 ? (
            <Empty icon={<FolderOpen size={22} />} title="There is no bucket yet" actions={<Button kind="primary" onClick={() => setMaking(true)}>Make a bucket</Button>}>
              A bucket holds files. On this machine it is a folder below <code>buckets</code> in the data directory: you can also copy files into it by hand.
            </Empty>
          ) : (
            <table className="list">
              <thead><tr><th>Bucket</th><th>Made (UTC)</th></tr></thead>
              <tbody>
                {buckets.data.map((bucket) => (
                  <tr key={bucket.name}>
                    <td><div className="file"><Database size={15} /><Link href={lakeAt(`s3://${bucket.name}/`)}>{bucket.name}</Link></div></td>
                    <td className="muted">{time(bucket.created)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Card>
      )}
      {making && <NewBucket onClose={() => setMaking(false)} />}
    </Page>
  );
}

function NewBucket({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const make = useMutation({
    mutationFn: () => send(`/buckets/${encodeURIComponent(name)}`, { method: "PUT" }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["folder"] });
      onClose();
      navigate(lakeAt(`s3://${name}/`));
    },
  });
  return (
    <Dialog title="New bucket" onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Field label="Name" hint="3 to 63 lower-case letters, digits and hyphens">
          <input value={name} onChange={(event) => setName(event.target.value)} autoFocus required />
        </Field>
        {make.isError && <ErrorBox error={make.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={make.isPending}>Make it</Button></div>
      </form>
    </Dialog>
  );
}

function Browse({ uri }: { uri: string }) {
  const client = useQueryClient();
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const [crawling, setCrawling] = useState(false);
  const [pages, setPages] = useState<string[]>([]);
  const { uploads, upload, forget } = useUploads(uri);
  const after = pages.at(-1);
  const folder = useQuery({
    queryKey: ["folder", uri, after ?? ""],
    queryFn: () => get<Folder>(`/objects?uri=${encodeURIComponent(uri)}${after ? `&after=${encodeURIComponent(after)}` : ""}`),
  });
  const remove = useMutation({
    mutationFn: (object: string) => send(`/object?uri=${encodeURIComponent(object)}`, { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["folder"] }),
  });
  const rest = uri.slice("s3://".length);
  const [bucket = "", ...parts] = rest.split("/").filter(Boolean);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    upload([...event.dataTransfer.files]);
  };
  const isEmpty = folder.data && folder.data.folders.length + folder.data.objects.length === 0;
  return (
    <Page title={parts.at(-1) ?? bucket}
      subtitle={(
        <nav className="crumbs" aria-label="Folders">
          <Link href="/lake">Lake</Link><ChevronRight size={13} />
          <Link href={lakeAt(`s3://${bucket}/`)}>{bucket}</Link>
          {parts.map((part, index) => (
            <span key={index} className="crumbs"><ChevronRight size={13} /><Link href={lakeAt(`s3://${bucket}/${parts.slice(0, index + 1).join("/")}/`)}>{part}</Link></span>
          ))}
        </nav>
      )}
      actions={(
        <>
          <Button onClick={() => setCrawling(true)} disabled={isEmpty}><Radar size={15} />Crawl</Button>
          <Button kind="primary" onClick={() => picker.current?.click()}><Upload size={15} />Upload</Button>
          <input ref={picker} type="file" multiple hidden aria-label="Files to upload" onChange={(event) => {
            upload([...(event.target.files ?? [])]);
            event.target.value = "";
          }} />
        </>
      )}>
      <Uploads uploads={uploads} onForget={forget} onCrawl={() => setCrawling(true)} />
      {remove.isError && <ErrorBox error={remove.error} />}
      <div className={over ? "drop drop-over" : "drop"} onDrop={drop} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}>
        <Card flush>
          {folder.isError && <div className="card-body"><ErrorBox error={folder.error} /></div>}
          {folder.isPending && <Loading />}
          {isEmpty && (
            <Empty icon={<Upload size={22} />} title="Nothing is here yet" actions={<Button kind="primary" onClick={() => picker.current?.click()}>Choose files</Button>}>
              Drop files here to upload them: CSV, JSON, Parquet, Avro, ORC, logs, plain or compressed.
            </Empty>
          )}
          {folder.data && !isEmpty && (
            <table className="list">
              <thead><tr><th>Name</th><th className="right">Size</th><th>Changed (UTC)</th><th aria-label="What to do" /></tr></thead>
              <tbody>
                {folder.data.folders.map((prefix) => (
                  <tr key={prefix}>
                    <td><div className="file"><FolderIcon size={15} /><Link href={lakeAt(`s3://${bucket}/${prefix}`)}>{prefix.split("/").at(-2)}/</Link></div></td>
                    <td className="right muted">–</td><td className="muted">–</td><td />
                  </tr>
                ))}
                {folder.data.objects.map((object) => {
                  const at = `s3://${bucket}/${object.key}`;
                  return (
                    <tr key={object.key}>
                      <td><div className="file"><File size={15} /><button type="button" className="link-button" onClick={() => setShown(at)}>{object.name}</button></div></td>
                      <td className="right nowrap">{bytes(object.size)}</td>
                      <td className="muted nowrap">{time(object.modified)}</td>
                      <td className="right nowrap">
                        <Button kind="quiet" aria-label={`Download ${object.name}`} onClick={() => download(`/object?uri=${encodeURIComponent(at)}`)}><Download size={15} /></Button>
                        <Button kind="quiet" aria-label={`Delete ${object.name}`} onClick={() => confirm(`Delete ${at}? It cannot be brought back.`) && remove.mutate(at)}><Trash2 size={15} /></Button>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          )}
        </Card>
      </div>
      {(after || folder.data?.next) && (
        <div className="actions">
          <Button disabled={pages.length === 0} onClick={() => setPages(pages.slice(0, -1))}>Back</Button>
          <Button disabled={!folder.data?.next} onClick={() => folder.data?.next && setPages([...pages, folder.data.next])}>More</Button>
        </div>
      )}
      {shown && <Preview uri={shown} onClose={() => setShown(null)} />}
      {crawling && <Crawl uri={uri} onClose={() => setCrawling(false)} />}
    </Page>
  );
}

/** Looks into a folder's files and describes them as tables. */
function Crawl({ uri, onClose }: { uri: string; onClose: () => void }) {
  const [database, setDatabase] = useState("default");
  const start = useMutation({
    mutationFn: () => operation<{ run: string }>("start-crawl", { spec: { targets: [{ kind: "s3", path: uri }], database } }),
    onSuccess: ({ run }) => navigate(path("runs", run)),
  });
  return (
    <Dialog title="Crawl this folder" onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); start.mutate(); }}>
        <p className="muted">The crawler looks into the files below <code>{uri}</code>, finds their format, columns and partitions, and puts the tables into a database.</p>
        <Field label="Database" hint="It is made if it is missing">
          <input value={database} onChange={(event) => setDatabase(event.target.value)} autoFocus required />
        </Field>
        {start.isError && <ErrorBox error={start.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={start.isPending}>Start the crawl</Button></div>
      </form>
    </Dialog>
  );
}
