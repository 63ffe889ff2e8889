/** Variables on the page: asked for in their order, chosen in the address, so that a link shows the same. */

import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { rows } from "../../shared/api";
import { useSame } from "../../shared/same";
import { Button, Field } from "../../shared/ui";
import type { Variable } from "./model";
import { databaseOf, variableSql, type VariableOption } from "./model";
import { expand } from "./macros";
import type { Range } from "./time";
import { ALL, type Chosen, fill, filtered, fixedOptions, type Options, ordered, settle, used } from "./variables";

export interface VariableState {
  list: Variable[];
  chosen: Chosen;
  options: Options;
  ready: boolean;
  error: unknown;
}

async function ask(variable: Variable, sql: string, range: Range, signal: AbortSignal): Promise<VariableOption[]> {
  const database = typeof variable.query === "object" ? databaseOf({ connectionArgs: variable.query.connectionArgs }) : "default";
  const answer = await rows(expand(sql, { range, interval: "5m" }), { database, limit: 5000, signal });
  const names = answer.columns.map((column) => column.name);
  const [text, value] = [Math.max(0, names.indexOf("__text")), names.includes("__value") ? names.indexOf("__value") : Math.max(0, names.indexOf("__text"))];
  const seen = new Set<string>();
  return answer.rows.flatMap((row) => {
    const own = row[value];
    if (own === null || own === undefined || seen.has(own)) return [];
    seen.add(own);
    return [{ text: row[text] ?? own, value: own }];
  });
}

/** Five steps of a chain are enough; each waits for those before it. */
export function useVariables(list: Variable[], range: Range, search: URLSearchParams): VariableState {
  const all = useMemo(() => ordered(list), [list]);
  const wanted = (name: string) => (search.has(`var-${name}`) ? search.getAll(`var-${name}`) : undefined);
  const chosen: Chosen = {};
  const options: Options = {};
  const settleOne = (variable: Variable, found: VariableOption[]) => {
    options[variable.name] = found;
    chosen[variable.name] = settle(variable, found, wanted(variable.name));
  };
  // How deep a variable stands in its chain of queries.
  const depth = new Map<string, number>();
  for (const variable of all) {
    const names = used(variableSql(variable), list).filter((name) => name !== variable.name);
    depth.set(variable.name, variable.type === "query" ? 1 + Math.max(0, ...names.map((name) => depth.get(name) ?? 0)) : 0);
  }
  for (const variable of all) if (variable.type !== "query") settleOne(variable, fixedOptions(variable));
  let ready = true;
  let error: unknown = null;
  for (const step of [1, 2, 3, 4, 5]) {
    const here = all.filter((variable) => depth.get(variable.name) === step);
    const isReady = ready;
    // The number of steps is fixed, so the order of hooks is too.
    // eslint-disable-next-line react-hooks/rules-of-hooks
    const answers = useQueries({
      queries: here.map((variable) => {
        const sql = fill(variableSql(variable), list, chosen, options);
        return { queryKey: ["variable", sql, range.from - (range.from % 60_000), range.to - (range.to % 60_000)], queryFn: ({ signal }: { signal: AbortSignal }) => ask(variable, sql, range, signal), enabled: isReady, staleTime: 60_000 };
      }),
    });
    here.forEach((variable, index) => {
      const answer = answers[index];
      if (answer?.isError) error ??= answer.error;
      if (!answer?.data) {
        ready = false;
        return;
      }
      const found = filtered(answer.data, variable.regex);
      if (variable.sort === 1) found.sort((a, b) => a.text.localeCompare(b.text));
      if (variable.sort === 2) found.sort((a, b) => b.text.localeCompare(a.text));
      settleOne(variable, found);
    });
  }
  return { list, chosen: useSame(chosen), options: useSame(options), ready, error };
}

export function VariableBar({ list, state, onChoose }: { list: Variable[]; state: VariableState; onChoose: (name: string, values: string[]) => void }) {
  const shown = list.filter((variable) => variable.hide !== 2 && variable.type !== "constant" && variable.type !== "datasource");
  if (shown.length === 0) return null;
  return (
    <div className="variables">
      {shown.map((variable) => {
        const label = variable.label || variable.name;
        const chosen = state.chosen[variable.name] ?? [];
        const options = [...(variable.includeAll ? [{ text: "All", value: ALL }] : []), ...(state.options[variable.name] ?? [])];
        if (variable.type === "textbox") {
          return <Field key={variable.name} label={label}><input defaultValue={chosen[0] ?? ""} onBlur={(event) => onChoose(variable.name, [event.target.value])} /></Field>;
        }
        if (variable.multi) return <Several key={variable.name} label={label} options={options} chosen={chosen} onChange={(values) => onChoose(variable.name, values)} />;
        return (
          <Field key={variable.name} label={label}>
            <select value={chosen[0] ?? ""} onChange={(event) => onChoose(variable.name, [event.target.value])}>
              {options.map((option) => <option key={option.value} value={option.value}>{option.text}</option>)}
            </select>
          </Field>
        );
      })}
    </div>
  );
}

/** Several of a list: buttons that are pressed or not. */
function Several({ label, options, chosen, onChange }: { label: string; options: VariableOption[]; chosen: string[]; onChange: (values: string[]) => void }) {
  const press = (value: string) => {
    if (value === ALL) return onChange([ALL]);
    const others = chosen.filter((one) => one !== ALL);
    const next = others.includes(value) ? others.filter((one) => one !== value) : [...others, value];
    onChange(next.length > 0 ? next : chosen);
  };
  return (
    <div className="field" role="group" aria-label={label}>
      <span className="field-label">{label}</span>
      <div className="actions">
        {options.slice(0, 40).map((option) => (
          <Button key={option.value} aria-pressed={chosen.includes(option.value)} onClick={() => press(option.value)}>{option.text}</Button>
        ))}
      </div>
    </div>
  );
}
