/** All streams: what they hold, and how fast they fill and are read. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Waves } from "lucide-react";
import { useState } from "react";
import { operation } from "../../shared/api";
import { amount, bytes } from "../../shared/format";
import { rate, rates, useTotals } from "../../shared/pulse";
import { Link, navigate, path } from "../../shared/router";
import { Sparkline } from "../../shared/sparkline";
import { Button, Card, Dialog, Empty, ErrorBox, Field, Loading, Page, useNow } from "../../shared/ui";
import type { StreamShown } from "./types";

/** The two halves of this page. */
export function Halves({ at }: { at: "streams" | "applications" }) {
  return (
    <nav className="tabs" aria-label="Streams and applications">
      <Link className="tab" href="/streams" aria-current={at === "streams" ? "page" : undefined}>Streams</Link>
      <Link className="tab" href="/streams/applications" aria-current={at === "applications" ? "page" : undefined}>Applications</Link>
    </nav>
  );
}

export function hours(n: number): string {
  return n % 24 === 0 ? `${n / 24} ${n === 24 ? "day" : "days"}` : `${n} hours`;
}

export function Streams() {
  const [isMaking, setMaking] = useState(false);
  const streams = useQuery({ queryKey: ["streams"], queryFn: ({ signal }) => operation<StreamShown[]>("list-streams", {}, signal) });
  const totals = useTotals();
  const now = useNow(1000);
  return (
    <Page title="Streams" subtitle="Records in order, kept for a while, read by anybody at their own pace"
      actions={<Button kind="primary" onClick={() => setMaking(true)}><Plus size={15} />New stream</Button>}>
      <Halves at="streams" />
      {streams.isError && <ErrorBox error={streams.error} />}
      {streams.isPending && <Loading />}
      {streams.data?.length === 0 && (
        <Card>
          <Empty icon={<Waves size={22} />} title="There is no stream yet" actions={<Button onClick={() => setMaking(true)}>Make one</Button>}>
            Producers put records into a stream by the AWS door (Kinesis), by <code>glulam stream put</code>, or here.
          </Empty>
        </Card>
      )}
      {streams.data && streams.data.length > 0 && (
        <Card flush>
          <div className="scrolls" tabIndex={0}>
            <table className="list">
              <thead><tr><th>Stream</th><th className="right">Shards</th><th className="right">Records</th><th className="right">Size</th><th>In</th><th>Out</th><th className="right">Kept for</th></tr></thead>
              <tbody>
                {streams.data.map((stream) => {
                  const total = totals.get(stream.name);
                  return (
                    <tr key={stream.name}>
                      <td><Link href={path("streams", "stream", stream.name)}>{stream.name}</Link><div className="muted small">{stream.mode}</div></td>
                      <td className="right">{amount(total?.open_shards ?? stream.open_shards)}</td>
                      <td className="right">{total ? amount(total.records) : "–"}</td>
                      <td className="right nowrap">{total ? bytes(total.bytes) : "–"}</td>
                      <td><Sparkline values={rates(`in/${stream.name}`, now)} latest={rate(`in/${stream.name}`, now)} label={`Records into ${stream.name}`} /></td>
                      <td><Sparkline values={rates(`out/${stream.name}`, now)} latest={rate(`out/${stream.name}`, now)} label={`Records out of ${stream.name}`} /></td>
                      <td className="right nowrap">{hours(stream.retention_hours)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </Card>
      )}
      {isMaking && <NewStream onClose={() => setMaking(false)} />}
    </Page>
  );
}

function NewStream({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [shards, setShards] = useState("1");
  const [kept, setKept] = useState("24");
  const make = useMutation({
    mutationFn: () => operation<StreamShown>("create-stream", { name, shards: shards === "" ? null : Number(shards), retention_hours: Number(kept) }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["streams"] });
      navigate(path("streams", "stream", name));
    },
  });
  return (
    <Dialog title="A new stream" onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Field label="Name" hint="letters, digits, underscores, dots and hyphens"><input required pattern="[A-Za-z0-9_.\-]{1,128}" value={name} onChange={(event) => setName(event.target.value)} /></Field>
        <Field label="Shards" hint="empty: on demand"><input type="number" min={1} max={10_000} value={shards} onChange={(event) => setShards(event.target.value)} /></Field>
        <Field label="Hours for which records are kept"><input type="number" min={24} max={8760} required value={kept} onChange={(event) => setKept(event.target.value)} /></Field>
        {make.isError && <ErrorBox error={make.error} />}
        <div className="actions"><Button kind="primary" type="submit" disabled={make.isPending}>Make it</Button></div>
      </form>
    </Dialog>
  );
}
