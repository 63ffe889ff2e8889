/** The parts that all pages are made of. */

import { AlertTriangle, Check, CircleSlash, Clock3, Loader2, X } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { useEffect, useRef, useState } from "react";
import { diagnosisFrom } from "./api";
import { Link } from "./router";
import type { Diagnosis, RunState } from "./types";

export function Page({ title, subtitle, actions, children, wide }: {
  title: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}) {
  return (
    <div className={wide ? "page page-wide" : "page"}>
      <header className="page-head">
        <div className="page-title">
          <h1>{title}</h1>
          {subtitle && <p className="muted">{subtitle}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: "primary" | "plain" | "quiet" | "danger" };

export function Button({ kind = "plain", className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={`button button-${kind} ${className ?? ""}`} {...rest} />;
}

export function LinkButton({ href, kind = "plain", children }: { href: string; kind?: "primary" | "plain"; children: ReactNode }) {
  return <Link href={href} className={`button button-${kind}`}>{children}</Link>;
}

export function Card({ title, actions, children, flush, className }: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  className?: string;
}) {
  return (
    <section className={`card ${className ?? ""}`}>
      {(title || actions) && (
        <header className="card-head">
          {title && <h2>{title}</h2>}
          {actions && <div className="actions">{actions}</div>}
        </header>
      )}
      <div className={flush ? "card-flush" : "card-body"}>{children}</div>
    </section>
  );
}

export function Empty({ icon, title, children, actions }: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      {icon && <div className="empty-icon" aria-hidden>{icon}</div>}
      <h3>{title}</h3>
      {children && <div className="empty-text">{children}</div>}
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

export function Loading({ what = "Loading" }: { what?: string }) {
  return <div className="loading" role="status"><Loader2 className="spin" size={16} aria-hidden /> {what}…</div>;
}

/** Why something failed, as the command line shows it: what, where with its excerpt, why, what to do. */
export function DiagnosisBox({ diagnosis, actions }: { diagnosis: Diagnosis; actions?: ReactNode }) {
  const { place } = diagnosis;
  return (
    <div className="diagnosis" role="alert">
      <div className="diagnosis-what"><AlertTriangle size={16} aria-hidden /><span>{diagnosis.what}</span></div>
      {place?.in === "source" && (
        <div className="excerpt">
          <div className="excerpt-place">{place.file}:{place.line}:{place.column}</div>
          {place.excerpt && (
            <pre><code>{place.excerpt}{"\n"}<span className="excerpt-mark">{" ".repeat(place.column - 1) + "^".repeat(Math.max(1, place.length))}</span></code></pre>
          )}
        </div>
      )}
      {place?.in === "object" && (
        <div className="diagnosis-line mono">
          {place.uri}{place.row !== undefined && `, row ${place.row}`}{place.column && `, column ${place.column}`}
        </div>
      )}
      {diagnosis.why && <div className="diagnosis-line"><b>Why</b> {diagnosis.why}</div>}
      {diagnosis.hints?.map((hint) => <div className="diagnosis-line" key={hint}><b>Help</b> {hint}</div>)}
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

export function ErrorBox({ error, retry }: { error: unknown; retry?: () => void }) {
  return <DiagnosisBox diagnosis={diagnosisFrom(error)} actions={retry && <Button onClick={retry}>Try again</Button>} />;
}

const STATES: Record<RunState, { word: string; tone: string; icon: ReactNode }> = {
  waiting: { word: "waiting", tone: "neutral", icon: <Clock3 size={12} /> },
  running: { word: "running", tone: "info", icon: <Loader2 size={12} className="spin" /> },
  stopping: { word: "stopping", tone: "info", icon: <Loader2 size={12} className="spin" /> },
  succeeded: { word: "succeeded", tone: "good", icon: <Check size={12} /> },
  failed: { word: "failed", tone: "bad", icon: <X size={12} /> },
  stopped: { word: "stopped", tone: "neutral", icon: <CircleSlash size={12} /> },
  timed_out: { word: "timed out", tone: "bad", icon: <Clock3 size={12} /> },
};

export function StateBadge({ state }: { state: RunState }) {
  const { word, tone, icon } = STATES[state];
  return <span className={`badge badge-${tone}`}><span aria-hidden>{icon}</span>{word}</span>;
}

export function Tag({ children }: { children: ReactNode }) {
  return <span className="tag">{children}</span>;
}

export function Tabs<T extends string>({ tabs, at, onChange, label }: {
  tabs: readonly (readonly [T, ReactNode])[];
  at: T;
  onChange: (tab: T) => void;
  label: string;
}) {
  const move = (by: number) => {
    const index = tabs.findIndex(([key]) => key === at);
    const next = tabs[(index + by + tabs.length) % tabs.length];
    if (next) onChange(next[0]);
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={(event) => {
      if (event.key === "ArrowRight") move(1);
      if (event.key === "ArrowLeft") move(-1);
    }}>
      {tabs.map(([key, text]) => (
        <button key={key} type="button" role="tab" aria-selected={key === at} tabIndex={key === at ? 0 : -1}
          className="tab" onClick={() => onChange(key)}>{text}</button>
      ))}
    </div>
  );
}

export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {facts.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}

export function Field({ label, children, hint }: { label: string; children: ReactNode; hint?: ReactNode }) {
  return (
    <label className="field">
      <span className="field-label">{label}</span>
      {children}
      {hint && <span className="field-hint">{hint}</span>}
    </label>
  );
}

/** A dialog over the page; the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal?.();
  }, []);
  return (
    <dialog ref={element} className="dialog" aria-label={title} onClose={onClose}>
      <header className="card-head">
        <h2>{title}</h2>
        <Button kind="quiet" aria-label="Close" onClick={onClose}><X size={16} /></Button>
      </header>
      <div className="card-body">{children}</div>
    </dialog>
  );
}

export function Bar({ part, label }: { part: number | null; label: string }) {
  return (
    <div className="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={part === null ? undefined : Math.round(part * 100)}>
      <div className={part === null ? "bar-fill bar-unknown" : "bar-fill"} style={{ width: part === null ? "30%" : `${Math.min(100, part * 100)}%` }} />
    </div>
  );
}

export function CopyButton({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  return (
    <Button kind="quiet" onClick={() => {
      void navigator.clipboard?.writeText(text).then(() => {
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      });
    }}>{done ? "Copied" : "Copy"}</Button>
  );
}

/** The time, every so often: for what is told as "3 min ago". */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
