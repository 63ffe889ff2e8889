/** A node's settings as a form: texts, switches, lists; what is deeper is written as JSON. */

import { Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, Card, Field } from "../../shared/ui";
import type { JobNode } from "./definition";

const isTexts = (value: unknown): value is (string | number)[] => Array.isArray(value) && value.every((one) => typeof one === "string" || typeof one === "number");

export function Settings({ node, onChange, onRemove }: { node: JobNode; onChange: (key: string, value: unknown) => void; onRemove: () => void }) {
  return (
    <Card title={node.name} actions={<Button kind="quiet" aria-label={`Remove ${node.name}`} onClick={onRemove}><Trash2 size={15} /></Button>}>
      <p className="muted small">{node.kind} <span className="mono">{node.id}</span></p>
      {Object.entries(node.settings).map(([key, value]) => (
        <Setting key={`${node.id} ${key}`} name={key} value={value} onChange={(next) => onChange(key, next)} />
      ))}
    </Card>
  );
}

function Setting({ name, value, onChange }: { name: string; value: unknown; onChange: (value: unknown) => void }) {
  const [text, setText] = useState(() => shown(value));
  const [wrong, setWrong] = useState<string | null>(null);
  useEffect(() => setText(shown(value)), [value]);
  if (typeof value === "boolean") {
    return <label className="check"><input type="checkbox" checked={value} onChange={(event) => onChange(event.target.checked)} />{words(name)}</label>;
  }
  const commit = () => {
    if (text === shown(value)) return;
    if (isTexts(value) && value.every((one) => typeof one === "string")) return onChange(text.split("\n").map((line) => line.trim()).filter(Boolean));
    if (typeof value === "number" && text.trim() !== "" && !Number.isNaN(Number(text))) return onChange(Number(text));
    if (typeof value === "object" && value !== null) {
      try {
        onChange(JSON.parse(text));
        setWrong(null);
      } catch (error) {
        setWrong(error instanceof Error ? error.message : String(error));
      }
      return;
    }
    onChange(text);
  };
  const isLong = typeof value === "object" || text.length > 48 || /query|code/i.test(name);
  return (
    <Field label={words(name)} hint={wrong ? <span className="removed">{wrong}</span> : isTexts(value) ? "one a line" : undefined}>
      {isLong ? <textarea rows={Math.min(14, Math.max(2, text.split("\n").length + 1))} value={text} onChange={(event) => setText(event.target.value)} onBlur={commit} spellCheck={false} />
        : <input value={text} onChange={(event) => setText(event.target.value)} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />}
    </Field>
  );
}

function shown(value: unknown): string {
  if (isTexts(value)) return value.join("\n");
  return typeof value === "object" && value !== null ? JSON.stringify(value, null, 1) : String(value ?? "");
}

const words = (name: string) => name.replace(/([a-z])([A-Z])/g, "$1 $2");
