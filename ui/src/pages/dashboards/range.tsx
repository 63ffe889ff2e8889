/** Which time is shown: usual ranges, or any two ends. */

import { useState } from "react";
import { Button, Dialog, Field } from "../../shared/ui";

const USUAL: [string, string, string][] = [
  ["now-15m", "now", "Last 15 minutes"], ["now-1h", "now", "Last hour"], ["now-6h", "now", "Last 6 hours"], ["now-24h", "now", "Last 24 hours"],
  ["now-7d", "now", "Last 7 days"], ["now-30d", "now", "Last 30 days"], ["now/d", "now/d", "Today"], ["now-1y", "now", "Last year"],
];

const short = (text: string) => text.replace("T", " ").replace(/:00(\.000)?Z?$/, "").replace(/Z$/, "");

export function RangePicker({ from, to, onChange }: { from: string; to: string; onChange: (from: string, to: string) => void }) {
  const [open, setOpen] = useState(false);
  const [ends, setEnds] = useState<[string, string]>([from, to]);
  const known = USUAL.find(([a, b]) => a === from && b === to);
  return (
    <>
      <Button onClick={() => { setEnds([from, to]); setOpen(true); }} title="Time range">{known ? known[2] : `${short(from)} to ${short(to)}`}</Button>
      {open && (
        <Dialog title="Time range" onClose={() => setOpen(false)}>
          <div className="actions">
            {USUAL.map(([a, b, name]) => <Button key={name} aria-pressed={known?.[2] === name} onClick={() => { onChange(a, b); setOpen(false); }}>{name}</Button>)}
          </div>
          <form className="card-body" onSubmit={(event) => { event.preventDefault(); onChange(ends[0], ends[1]); setOpen(false); }}>
            <Field label="From" hint="2026-03-02T00:00:00Z, or now-6h; all times are UTC"><input value={ends[0]} onChange={(event) => setEnds([event.target.value, ends[1]])} /></Field>
            <Field label="To"><input value={ends[1]} onChange={(event) => setEnds([ends[0], event.target.value])} /></Field>
            <div className="actions"><Button kind="primary" type="submit">Show</Button></div>
          </form>
        </Dialog>
      )}
    </>
  );
}
