/** Template variables: their values in texts, and the order in which they are asked for. */

import type { Variable, VariableOption } from "./model";
import { variableSql } from "./model";

export const ALL = "$__all";

/** What is chosen: one value or, with `multi`, several. */
export type Chosen = Record<string, string[]>;
export type Options = Record<string, VariableOption[]>;

const literal = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** The values a variable stands for. */
export function values(variable: Variable, chosen: Chosen, options: Options): string[] {
  const own = chosen[variable.name] ?? [];
  if (!own.includes(ALL)) return own;
  return (options[variable.name] ?? []).map((one) => one.value).filter((value) => value !== ALL);
}

function written(variable: Variable, chosen: Chosen, options: Options, format: string | undefined): string {
  const own = values(variable, chosen, options);
  const isAll = (chosen[variable.name] ?? []).includes(ALL);
  if (isAll && variable.allValue) return variable.allValue;
  switch (format) {
    case "raw":
    case "csv":
      return own.join(",");
    case "pipe":
      return own.join("|");
    case "regex":
      return own.length === 1 ? (own[0] ?? "") : `(${own.join("|")})`;
    case "text":
      return own.join(" + ");
    case "json":
      return JSON.stringify(own);
    case "singlequote":
    case "sqlstring":
      return own.map(literal).join(",");
    case "doublequote":
      return own.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(",");
    default:
      // Several values are written as a list of SQL's texts, one as it is: so do Grafana's SQL data sources.
      return variable.multi || variable.includeAll ? own.map(literal).join(",") || "NULL" : (own[0] ?? "");
  }
}

/** Puts the chosen values into a text: `$name`, `${name}`, `${name:format}`, `[[name]]`. */
export function fill(text: string, variables: Variable[], chosen: Chosen, options: Options): string {
  const known = new Map(variables.map((variable) => [variable.name, variable]));
  return text.replace(/\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g, (whole, a?: string, af?: string, b?: string, bf?: string, c?: string) => {
    const variable = known.get(a ?? b ?? c ?? "");
    return variable ? written(variable, chosen, options, af ?? bf) : whole;
  });
}

/** As a title shows them. */
export function fillTitle(text: string, variables: Variable[], chosen: Chosen, options: Options): string {
  const asText = variables.map((variable) => ({ ...variable, multi: false, includeAll: false }));
  const joined = Object.fromEntries(variables.map((variable) => {
    const own = chosen[variable.name] ?? [];
    return [variable.name, [own.includes(ALL) ? "All" : own.join(" + ")]];
  }));
  return fill(text, asText, joined, options);
}

/** The names of the variables that a text uses. */
export function used(text: string, variables: Variable[]): string[] {
  return variables.filter(({ name }) => new RegExp(`\\$${name}\\b|\\$\\{${name}[:}]|\\[\\[${name}[:\\]]`).test(text)).map(({ name }) => name);
}

/** The variables, each behind those that its query uses. */
export function ordered(variables: Variable[]): Variable[] {
  const done = new Set<string>();
  const result: Variable[] = [];
  const visit = (variable: Variable, under: Set<string>) => {
    if (done.has(variable.name) || under.has(variable.name)) return;
    under.add(variable.name);
    for (const name of used(variableSql(variable), variables)) {
      const other = variables.find((one) => one.name === name);
      if (other) visit(other, under);
    }
    done.add(variable.name);
    result.push(variable);
  };
  for (const variable of variables) visit(variable, new Set());
  return result;
}

/** The options of a variable that needs no query. */
export function fixedOptions(variable: Variable): VariableOption[] {
  const text = variableSql(variable);
  if (variable.type === "custom" || variable.type === "interval") {
    return text.split(/(?<!\\),/).map((part) => {
      const [name = "", value] = part.trim().replaceAll("\\,", ",").split(/\s+:\s+/);
      return { text: name, value: value ?? name };
    });
  }
  if (variable.type === "constant" || variable.type === "textbox") return [{ text, value: text }];
  return variable.options ?? [];
}

/** Keeps what a variable's regular expression lets through; its first group is the value. */
export function filtered(options: VariableOption[], regex: string | undefined): VariableOption[] {
  const parts = regex ? /^\/(.*)\/([a-z]*)$/.exec(regex) : null;
  if (!regex) return options;
  let pattern: RegExp;
  try {
    pattern = parts ? new RegExp(parts[1] ?? "", parts[2]?.replace("g", "")) : new RegExp(`^${regex}$`);
  } catch {
    return options;
  }
  return options.flatMap((option) => {
    const found = pattern.exec(option.value);
    if (!found) return [];
    const value = found.groups?.value ?? found[1] ?? option.value;
    return [{ text: found.groups?.text ?? found[1] ?? option.text, value }];
  });
}

/** What is chosen of these options: what was, as far as it is still there; else the dashboard's own choice or the first. */
export function settle(variable: Variable, options: VariableOption[], wanted: string[] | undefined): string[] {
  const isThere = (value: string) => (value === ALL && variable.includeAll) || options.some((one) => one.value === value);
  const kept = (wanted ?? []).filter((value) => variable.type === "textbox" || isThere(value));
  if (kept.length > 0) return variable.multi ? kept : kept.slice(0, 1);
  const own = [variable.current?.value ?? []].flat().filter(isThere);
  if (own.length > 0) return variable.multi ? own : own.slice(0, 1);
  if (variable.includeAll) return [ALL];
  return options[0] ? [options[0].value] : [];
}
