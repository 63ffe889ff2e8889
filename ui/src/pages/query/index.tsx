/** Ask in SQL: an editor that knows the catalog, the rows, a chart of them, the plan, files to take away. */

import { sql } from "@codemirror/lang-sql";
import { linter } from "@codemirror/lint";
import { Prec } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Play, Save, Square } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { diagnosisFrom, follow, operation } from "../../shared/api";
import { Editor } from "../../shared/editor";
import { navigate, useSearch } from "../../shared/router";
import type { Diagnosis, Run } from "../../shared/types";
import { diagnosisOf, isFinal } from "../../shared/types";
import { Button } from "../../shared/ui";
import { athena, check, columnSource, functionSource, known, type Known, statementAt, underline } from "./language";
import { Result } from "./result";
import { Side } from "./side";

const TEXT = "glulam.query.text";
const DATABASE = "glulam.query.database";
const SAVED = "glulam.query.saved";
const NOTHING: Known = { namespace: {}, tables: new Map(), functions: [] };

export interface Saved {
  name: string;
  sql: string;
}

function readSaved(): Saved[] {
  try {
    return JSON.parse(localStorage.getItem(SAVED) ?? "[]") as Saved[];
  } catch {
    return [];
  }
}

export default function Query() {
  const client = useQueryClient();
  const [search] = useSearch();
  const given = search.get("sql");
  const [text, setText] = useState(() => given ?? localStorage.getItem(TEXT) ?? "");
  const [database, setDatabase] = useState(() => search.get("database") ?? localStorage.getItem(DATABASE) ?? "default");
  const [run, setRun] = useState<Run | null>(null);
  const [isStarting, setStarting] = useState(false);
  const [refused, setRefused] = useState<Diagnosis | null>(null);
  const [asked, setAsked] = useState("");
  const [saved, setSaved] = useState(readSaved);
  const view = useRef<EditorView | null>(null);
  const catalog = useQuery({ queryKey: ["tables", "known"], queryFn: ({ signal }) => known(signal), staleTime: 30_000 });
  const names = catalog.data ?? NOTHING;

  useEffect(() => localStorage.setItem(TEXT, text), [text]);
  useEffect(() => localStorage.setItem(DATABASE, database), [database]);
  useEffect(() => {
    // An address that carries a query is taken once; then the editor's own text counts.
    if (given !== null) navigate("/query", { replace: true });
  }, [given]);

  // What runs now, and how to stop following it: a new query takes its place.
  const current = useRef<{ abort: AbortController; run: string | null } | null>(null);
  useEffect(() => () => current.current?.abort.abort(), []);
  const start = useCallback(async (statement: string) => {
    if (!statement.trim()) return;
    const before = current.current;
    before?.abort.abort();
    if (before?.run) void operation("stop-run", { id: before.run }).catch(() => undefined);
    const own: { abort: AbortController; run: string | null } = { abort: new AbortController(), run: null };
    current.current = own;
    setRefused(null);
    setRun(null);
    setAsked(statement);
    setStarting(true);
    try {
      const started = await operation<{ run: string }>("start-query", {
        text: statement, source_name: "<query>", database, parameters: [],
      });
      // Another one has taken its place before this one had a name.
      if (own.abort.signal.aborted) {
        await operation("stop-run", { id: started.run });
        return;
      }
      own.run = started.run;
      const ended = await follow(started.run, (seen) => {
        if (current.current === own) setRun(seen);
      }, own.abort.signal);
      own.run = null;
      if (ended.state === "succeeded" && !/^\s*(select|with|explain|show|describe|values)\b/i.test(statement)) {
        void client.invalidateQueries({ queryKey: ["tables"] });
      }
    } catch (error) {
      if (own.abort.signal.aborted) return;
      own.run = null;
      setRun(null);
      setRefused(diagnosisFrom(error));
    } finally {
      if (current.current === own) setStarting(false);
    }
  }, [client, database]);

  const runHere = useCallback(() => {
    const state = view.current?.state;
    if (!state) return;
    const { from, to } = state.selection.main;
    void start(from === to ? statementAt(state.doc.toString(), from) : state.sliceDoc(from, to));
  }, [start]);

  const running = useRef(runHere);
  running.current = runHere;
  const extensions = useMemo(() => {
    const schema = sql({ dialect: athena, schema: names.namespace, defaultSchema: database, upperCaseKeywords: true });
    return [
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => { running.current(); return true; } }])),
      schema,
      athena.language.data.of({ autocomplete: functionSource(names.functions) }),
      athena.language.data.of({ autocomplete: columnSource(names) }),
      linter(async (at) => {
        try {
          return underline(await check(at.state.doc.toString(), database), at.state.doc);
        } catch {
          // Without the server there is nothing to say; the next key asks again.
          return [];
        }
      }, { delay: 450 }),
    ];
  }, [names, database]);

  const databases = useMemo(() => [...new Set(["default", ...names.tables.keys(), database])], [names, database]);
  const busy = isStarting || (run !== null && !isFinal(run.state));
  const failure = refused ?? (run ? diagnosisOf(run) : null);
  const insert = (name: string) => {
    const at = view.current;
    if (!at) return;
    at.dispatch(at.state.replaceSelection(name));
    at.focus();
  };
  const keep = (list: Saved[]) => {
    setSaved(list);
    localStorage.setItem(SAVED, JSON.stringify(list));
  };

  return (
    <div className="query">
      <h1 className="skip">Query</h1>
      <div className="query-top">
        <div className="query-edit">
          <Editor value={text} onChange={setText} extensions={extensions} label="SQL" height={272}
            hint="SELECT … FROM …    Completion knows your tables; mistakes are underlined as you type"
            onReady={(made) => { view.current = made; made.focus(); }} />
          <div className="actions">
            {busy ? (
              <Button disabled={!run} onClick={() => run && void operation("stop-run", { id: run.id })}><Square size={14} />Stop</Button>
            ) : (
              <Button kind="primary" onClick={runHere} disabled={!text.trim()}><Play size={14} />Run <span className="kbd">Ctrl ↵</span></Button>
            )}
            <label className="check small muted">Database
              <select value={database} onChange={(event) => setDatabase(event.target.value)}>
                {databases.map((name) => <option key={name}>{name}</option>)}
              </select>
            </label>
            <Button kind="quiet" disabled={!text.trim()} onClick={() => {
              const name = prompt("A name for this query");
              if (name) keep([{ name, sql: text }, ...saved.filter((one) => one.name !== name)]);
            }}><Save size={14} />Save</Button>
          </div>
        </div>
        <Side known={names} database={database} saved={saved} onInsert={insert} onOpen={setText}
          onForget={(name) => keep(saved.filter((one) => one.name !== name))} />
      </div>
      <Result run={run} failure={failure} sql={asked} database={database} />
    </div>
  );
}
