/** One stream: its shards and where they come from, its records, and a way to put one. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { operation } from "../../shared/api";
import { ago, amount, bytes, plural } from "../../shared/format";
import { rate, rates, useTotals } from "../../shared/pulse";
import { Link, navigate, useSearch } from "../../shared/router";
import { Sparkline } from "../../shared/sparkline";
import { Button, Card, Dialog, ErrorBox, Facts, Field, Loading, Page, Tabs, Tag, useNow } from "../../shared/ui";
import { lineage } from "./lineage";
import { hours } from "./list";
import { Records } from "./records";
import type { Shard, StreamDescription } from "./types";

const TABS = [["records", "Records"], ["shards", "Shards"]] as const;

export function StreamPage({ name }: { name: string }) {
  const client = useQueryClient();
  const [search, setSearch] = useSearch();
  const [isPutting, setPutting] = useState(false);
  const totals = useTotals().get(name);
  const now = useNow(1000);
  const stream = useQuery({
    queryKey: ["stream", name],
    queryFn: ({ signal }) => operation<StreamDescription>("describe-stream", { name }, signal),
    // The numbers of shards are a look every few seconds; those above come as they change.
    refetchInterval: 5000,
  });
  const drop = useMutation({
    mutationFn: () => operation("delete-stream", { name }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["streams"] });
      navigate("/streams");
    },
  });
  if (stream.isError && !stream.data) return <Page title={name} subtitle={<Link href="/streams">Streams</Link>}><ErrorBox error={stream.error} /></Page>;
  if (!stream.data) return <Loading />;
  const { stream: shown, shards, consumers } = stream.data;
  const tab = search.get("tab") === "shards" ? "shards" : "records";
  const held = totals ?? { records: shards.reduce((sum, one) => sum + one.records, 0), bytes: shards.reduce((sum, one) => sum + one.bytes, 0) };
  return (
    <Page title={name} subtitle={<Link href="/streams">Streams</Link>} actions={(
      <>
        <Button kind="danger" disabled={drop.isPending} onClick={() => confirm(`Delete the stream ${name} with all of its records?`) && drop.mutate()}><Trash2 size={14} />Delete</Button>
        <Button kind="primary" onClick={() => setPutting(true)}><Send size={14} />Put a record</Button>
      </>
    )}>
      {drop.isError && <ErrorBox error={drop.error} />}
      <div className="stats">
        <div className="stat"><span className="stat-name">In</span><Sparkline values={rates(`in/${name}`, now)} latest={rate(`in/${name}`, now)} label="Records in" /><span className="stat-note">{totals ? `${amount(totals.records_in)} ever` : ""}</span></div>
        <div className="stat"><span className="stat-name">Out</span><Sparkline values={rates(`out/${name}`, now)} latest={rate(`out/${name}`, now)} label="Records out" /><span className="stat-note">{totals ? `${amount(totals.records_out)} since the server began` : ""}</span></div>
        <div className="stat"><span className="stat-name">Kept</span><span className="stat-value">{amount(held.records)}</span><span className="stat-note">{bytes(held.bytes)}, for {hours(shown.retention_hours)}</span></div>
        <div className="stat"><span className="stat-name">Open shards</span><span className="stat-value">{amount(shown.open_shards)}</span><span className="stat-note">{shown.mode}{consumers.length > 0 ? `, ${plural(consumers.length, "consumer")}` : ""}</span></div>
      </div>
      <Tabs tabs={TABS} at={tab} label="About the stream" onChange={(next) => setSearch({ tab: next === "records" ? null : next })} />
      {tab === "records" && <Records stream={name} shards={shards} />}
      {tab === "shards" && (
        <>
          <Card title="Lineage"><Lineage shards={shards} /></Card>
          <Card title="Shards" flush><Shards shards={shards} now={now} /></Card>
          <Card title="Details"><Facts facts={[["ARN", <code key="arn">{shown.arn}</code>], ["Made", ago(shown.created, now)], ["Consumers", consumers.join(", ")]]} /></Card>
        </>
      )}
      {isPutting && <Put stream={name} onClose={() => setPutting(false)} />}
    </Page>
  );
}

function Shards({ shards, now }: { shards: Shard[]; now: number }) {
  return (
    <div className="scrolls" tabIndex={0}>
      <table className="list">
        <thead><tr><th>Shard</th><th>State</th><th>Came of</th><th className="right">Records</th><th className="right">Size</th><th className="right">Read</th><th className="right">Latest record</th></tr></thead>
        <tbody>
          {shards.map((shard) => (
            <tr key={shard.id}>
              <td className="mono nowrap">{shard.id}</td>
              <td><Tag>{shard.closed ? "closed" : "open"}</Tag></td>
              <td className="mono small">{[shard.parent, shard.adjacent_parent].filter(Boolean).join(", ") || "–"}</td>
              <td className="right">{amount(shard.records)}</td><td className="right nowrap">{bytes(shard.bytes)}</td><td className="right">{amount(shard.records_out)}</td>
              <td className="right nowrap">{shard.last_arrival ? ago(shard.last_arrival, now) : "none"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const [WIDE, ROW] = [960, 30];

/** Shards by the hash keys that they take, from left to right, those that came of others below them. */
function Lineage({ shards }: { shards: Shard[] }) {
  const placed = lineage(shards);
  const rows = Math.max(0, ...placed.map((one) => one.generation)) + 1;
  return (
    <>
      <svg className="lineage" viewBox={`0 0 ${WIDE} ${rows * ROW}`} role="img"
        aria-label={`${plural(shards.length, "shard")} in ${plural(rows, "generation")}, ${shards.filter((one) => !one.closed).length} of them open`}>
        {placed.map(({ shard, generation, from, part }) => {
          const [x, width] = [from * WIDE, Math.max(2, part * WIDE - 2)];
          return (
            <g key={shard.id} data-shard={shard.id}>
              <title>{`${shard.id}, ${shard.closed ? "closed" : "open"}: hash keys ${shard.first_hash} to ${shard.last_hash}`}</title>
              <rect x={x + 1} y={generation * ROW + 2} width={width} height={ROW - 6} rx={5} className={shard.closed ? "lineage-closed" : "lineage-open"} />
              {width > 60 && <text x={x + width / 2} y={generation * ROW + ROW / 2 + 3} textAnchor="middle">{shard.id.replace(/^shardId-0*(?=\d)/, "")}</text>}
            </g>
          );
        })}
      </svg>
      <p className="muted small">From left to right the hash keys, from 0 to the last of 128 bits; shards that came of a split or a merge stand below those they came of.</p>
    </>
  );
}

function Put({ stream, onClose }: { stream: string; onClose: () => void }) {
  const client = useQueryClient();
  const [key, setKey] = useState("");
  const [text, setText] = useState("");
  const put = useMutation({
    mutationFn: () => operation<number>("put-records", { stream, records: [text], key: key || null }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["stream", stream] });
      void client.invalidateQueries({ queryKey: ["records", stream] });
    },
  });
  return (
    <Dialog title={`Put a record into ${stream}`} onClose={onClose}>
      <form className="card-body" onSubmit={(event) => { event.preventDefault(); put.mutate(); }}>
        <Field label="Partition key" hint="chooses the shard; empty: the record's own text does"><input maxLength={256} value={key} onChange={(event) => setKey(event.target.value)} /></Field>
        <Field label="Data"><textarea rows={8} required spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} /></Field>
        {put.isError && <ErrorBox error={put.error} />}
        <div className="actions">
          <Button kind="primary" type="submit" disabled={put.isPending}>Put it</Button>
          {put.isSuccess && <span role="status" className="muted small">It is stored.</span>}
        </div>
      </form>
    </Dialog>
  );
}
