/** Records of a shard, from a place on, as they come. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { memo, useState } from "react";
import { ApiError, operation } from "../../shared/api";
import { bytes, plural, time } from "../../shared/format";
import { Button, Card, Empty, ErrorBox, Field, Loading } from "../../shared/ui";
import { pretty } from "./lineage";
import type { LookFrom, Shard, ShardRead, ShardRecord } from "./types";

const LIMIT = 100;
/** So many of the latest records stay on the page. */
const SHOWN = 500;

const STARTS = [
  ["trim_horizon", "the oldest (TRIM_HORIZON)"], ["latest", "now on (LATEST)"], ["at_timestamp", "a time (AT_TIMESTAMP)"],
  ["at_sequence_number", "a number (AT_SEQUENCE_NUMBER)"], ["after_sequence_number", "behind a number (AFTER_SEQUENCE_NUMBER)"],
] as const;

type Start = (typeof STARTS)[number][0];

/** Where to begin, as the server is told it; none when it is not said yet. */
export function lookFrom(start: Start, text: string): LookFrom | null {
  if (start === "trim_horizon" || start === "latest") return start;
  if (!text.trim()) return null;
  if (start !== "at_timestamp") return { [start]: text.trim() } as LookFrom;
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text.trim()) ? text.trim() : `${text.trim()}Z`);
  return Number.isFinite(at) ? { at_timestamp: new Date(at).toISOString() } : null;
}

export function Records({ stream, shards }: { stream: string; shards: Shard[] }) {
  const [shard, setShard] = useState(() => shards.find((one) => one.records > 0)?.id ?? shards[0]?.id ?? "");
  const [start, setStart] = useState<Start>("trim_horizon");
  const [text, setText] = useState("");
  const from = lookFrom(start, text);
  return (
    <Card title="Records" flush actions={(
      <>
        <Field label="Shard">
          <select value={shard} onChange={(event) => setShard(event.target.value)}>
            {shards.map((one) => <option key={one.id} value={one.id}>{one.id}{one.closed ? " (closed)" : ""}</option>)}
          </select>
        </Field>
        <Field label="From">
          <select value={start} onChange={(event) => { setStart(event.target.value as Start); setText(""); }}>{STARTS.map(([value, name]) => <option key={value} value={value}>{name}</option>)}</select>
        </Field>
        {start === "at_timestamp" && <Field label="Time (UTC)"><input type="datetime-local" step={1} value={text} onChange={(event) => setText(event.target.value)} /></Field>}
        {start.endsWith("sequence_number") && <Field label="Sequence number"><input className="mono" value={text} onChange={(event) => setText(event.target.value)} /></Field>}
      </>
    )}>
      {from === null ? <Empty title={start === "at_timestamp" ? "Give a time" : "Give a sequence number"} /> : (
        <Reading key={JSON.stringify([shard, from])} stream={stream} shard={shard} from={from} />
      )}
    </Card>
  );
}

/** Records behind those that are there; one that was read twice is there once. */
export function joined(before: ShardRecord[], more: ShardRecord[]): ShardRecord[] {
  const known = new Set(before.map((one) => one.sequence_number));
  return [...before, ...more.filter((one) => !known.has(one.sequence_number))].slice(-SHOWN);
}

/** Where the next look begins, and since when that is known. */
export interface Place {
  from: LookFrom;
  since: number;
}

/** Places are good for five minutes where the limits of Kinesis hold: a silent shard's is taken anew before. */
const GOOD = 60_000;

export function onward(place: Place, found: ShardRead, now: number): Place {
  if (!found.next) return place;
  const isOld = typeof place.from === "object" && "place" in place.from && now - place.since > GOOD;
  return found.records.length > 0 || place.from === "latest" || isOld ? { from: { place: found.next }, since: now } : place;
}

/** Where to go on from a place that is good no more: behind the last record, or when nothing had come yet. */
export function renewed(place: Place, last: ShardRecord | undefined): LookFrom {
  return last ? { after_sequence_number: last.sequence_number } : { at_timestamp: new Date(place.since).toISOString() };
}

/** Reads from a place on; from one that has expired, from where it stood. */
export async function look(stream: string, shard: string, place: Place, last: ShardRecord | undefined, signal?: AbortSignal): Promise<ShardRead> {
  const read = (from: LookFrom) => operation<ShardRead>("read-shard", { stream, shard, from, limit: LIMIT }, signal);
  try {
    return await read(place.from);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 412)) throw error;
    return read(renewed(place, last));
  }
}

/** Reads on as long as it is shown: quickly while there is more, then once a second. */
function Reading({ stream, shard, from }: { stream: string; shard: string; from: LookFrom }) {
  const [at, setAt] = useState<Place>(() => ({ from, since: Date.now() }));
  const [records, setRecords] = useState<ShardRecord[]>([]);
  const [seen, setSeen] = useState<ShardRead | null>(null);
  const [isFollowing, setFollowing] = useState(from === "latest");
  const take = (found: ShardRead) => {
    setSeen(found);
    if (found.records.length > 0) setRecords((before) => joined(before, found.records));
    setAt((before) => onward(before, found, Date.now()));
  };
  const read = useQuery({
    queryKey: ["records", stream, shard, at.from],
    gcTime: 0,
    staleTime: 0,
    queryFn: async ({ signal }) => {
      const found = await look(stream, shard, at, records.at(-1), signal);
      take(found);
      return found;
    },
    // Without new records the place stays, and is asked again.
    refetchInterval: (query) => (isFollowing && query.state.data?.next ? 1000 : false),
    enabled: isFollowing || records.length === 0,
  });
  const more = useMutation({ mutationFn: () => look(stream, shard, at, records.at(-1)), onSuccess: take });
  const error = more.isError ? { error: more.error, retry: () => more.mutate() } : read.isError ? { error: read.error, retry: () => void read.refetch() } : null;
  if (!seen && !error) return <Loading what="Reading" />;
  return (
    <>
      {error && <div className="card-body"><ErrorBox {...error} /></div>}
      {seen && (
        <div className="record-bar">
          <Button aria-pressed={isFollowing} onClick={() => { more.reset(); setFollowing(!isFollowing); }}>{isFollowing ? "Following" : "Follow"}</Button>
          {!isFollowing && <Button disabled={more.isPending} onClick={() => more.mutate()}>Read on</Button>}
          <span className="muted small" role="status">{plural(records.length, "record")}{records.length === SHOWN ? " (the latest)" : ""}{seen.next === null ? ", to the end of the closed shard" : ""}</span>
          {seen.children.length > 0 && <span className="muted small">goes on in {seen.children.join(", ")}</span>}
        </div>
      )}
      {seen && records.length === 0 && <Empty title="No record is here yet">{isFollowing ? "New ones appear as they come." : "Read on, or follow what comes."}</Empty>}
      {records.length > 0 && <ol className="records" aria-label="Records">{records.map((record) => <Shown key={record.sequence_number} record={record} />)}</ol>}
    </>
  );
}

/** Drawn once: the page around it is drawn every second, and records can be long. */
const Shown = memo(function Shown({ record }: { record: ShardRecord }) {
  const { text, isJson } = pretty(record.data);
  return (
    <li className="record">
      <div className="record-head">
        <b>{record.partition_key}</b><span>{time(record.arrived)}</span><span>{bytes(record.bytes)}</span>
        <span>{record.is_text ? (isJson ? "JSON" : "text") : "bytes, in hexadecimal digits"}</span>
        <code title="Sequence number">{record.sequence_number}</code>
      </div>
      <pre className="code">{text}</pre>
    </li>
  );
});
