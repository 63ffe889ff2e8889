/** Panels of few numbers and of rows: stat, gauge, table, logs, text. */

import { Link } from "../../../shared/router";
import { type CSSProperties, useMemo } from "react";
import { axes, Chart, ink } from "../../../shared/chart";
import { useDark } from "../../../shared/theme";
import type { Field, Frame } from "../frame";
import { reduced } from "../frame";
import type { Step } from "../model";
import { colour, format, steps, thresholdColour } from "../units";
import type { PanelProps } from ".";

const ROWS = 500;

/** The colour of a text: the theme makes it dark or light enough to be read. */
const shaded = (shade: string | undefined) => (shade ? ({ "--shade": shade } as CSSProperties) : undefined);

function Stat({ panel, frames }: PanelProps) {
  const all = reduced(frames, panel).slice(0, 24);
  const mode = panel.options?.colorMode;
  return (
    <div className="big">
      {all.map((one) => {
        const shade = one.config.color?.mode === "fixed" ? colour(one.config.color.fixedColor) : thresholdColour(one.value, one.config);
        return (
          <div key={one.name}>
            <div className={shade && mode !== "none" ? "big-value shaded" : "big-value"} style={shaded(shade)}>{format(one.value, one.config.unit, one.config.decimals)}</div>
            {(all.length > 1 || panel.options?.textMode === "value_and_name") && <div className="big-name">{one.name}</div>}
          </div>
        );
      })}
      {all.length === 0 && <span className="muted">{panel.fieldConfig?.defaults?.noValue ?? "No data"}</span>}
    </div>
  );
}

/** Where the colour of each step ends on the way from the least to the most, as parts of it. */
export function bandsOf(steps: Step[], min: number, max: number): [number, string][] {
  const part = (value: number) => Math.min(1, Math.max(0, (value - min) / (max - min || 1)));
  return steps.map((step, at): [number, string] => [part(steps[at + 1]?.value ?? max), step.color]).filter(([end], at, all) => end > (all[at - 1]?.[0] ?? 0));
}

function Gauge({ panel, frames }: PanelProps) {
  const dark = useDark();
  const all = useMemo(() => reduced(frames, panel).slice(0, 8), [frames, panel]);
  const option = useMemo(() => {
    const { text, line } = ink(dark);
    return {
      ...axes(dark),
      tooltip: undefined,
      series: all.flatMap((one, index) => {
        const { min = 0, max = 100 } = one.config;
        const bounds = steps(one.config);
        const bands = bandsOf(bounds, min, max).map(([end, shade]) => [end, colour(shade) ?? line]);
        const ring = { type: "gauge", min, max, startAngle: 210, endAngle: -30, center: [`${((index + 0.5) * 100) / all.length}%`, "58%"], pointer: { show: false }, axisTick: { show: false }, splitLine: { show: false }, axisLabel: { show: false } };
        // Outside of the value, the thresholds as a thin ring.
        const outer = bands.length > 1 ? [{ ...ring, radius: `${all.length > 1 ? 84 : 98}%`, silent: true, axisLine: { lineStyle: { width: 4, color: bands } }, detail: { show: false }, data: [] }] : [];
        return [...outer, {
          ...ring, radius: `${all.length > 1 ? 78 : 92}%`,
          progress: { show: true, width: 12, itemStyle: { color: thresholdColour(one.value, one.config) } },
          axisLine: { lineStyle: { width: 12, color: [[1, line]] } },
          title: { offsetCenter: [0, "42%"], color: dark ? "#a69d90" : "#665f55", fontSize: 12 },
          detail: { offsetCenter: [0, 0], color: text, fontSize: 22, fontWeight: 600, formatter: (value: number) => format(value, one.config.unit, one.config.decimals) },
          data: [{ value: one.value ?? 0, name: all.length > 1 ? one.name : "" }],
        }];
      }),
    };
  }, [all, dark]);
  const label = `${panel.title}: ${all.map((one) => `${one.name} ${format(one.value, one.config.unit)}`).join(", ")}`;
  return <Chart option={option} label={label} />;
}

export function cellText(field: Field, value: number | string | null): string {
  if (value === null) return "–";
  const mapped = field.config.mappings?.find((one) => one.type === "value")?.options[String(value)];
  if (mapped?.text) return mapped.text;
  if (field.type === "time") return new Date(Number(value)).toISOString().replace("T", " ").slice(0, 19);
  return field.type === "number" ? format(Number(value), field.config.unit, field.config.decimals) : String(value);
}

function Table({ frames, link }: PanelProps) {
  const one: Frame | undefined = frames[0];
  if (!one) return null;
  const fields = one.fields.filter((field) => !(field.config.custom as { hidden?: boolean } | undefined)?.hidden);
  return (
    <table className="list">
      <thead><tr>{fields.map((field) => <th key={field.name} className={field.type === "number" ? "right" : ""}>{field.config.displayName ?? field.name}</th>)}</tr></thead>
      <tbody>
        {Array.from({ length: Math.min(one.length, ROWS) }, (_, row) => (
          <tr key={row}>
            {fields.map((field) => {
              const value = field.values[row] ?? null;
              const isShaded = JSON.stringify(field.config.custom ?? {}).includes("color");
              const shade = field.type === "number" && isShaded ? thresholdColour(value as number | null, field.config) : undefined;
              const to = field.config.links?.[0];
              const text = cellText(field, value);
              return (
                <td key={field.name} className={`${field.type === "number" ? "right" : ""} ${shade ? "shaded" : ""}`} style={shaded(shade)}>
                  {to ? <Link href={link(to.url, one, row, value)}>{text}</Link> : text}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Logs({ frames }: PanelProps) {
  const one = frames[0];
  if (!one) return null;
  const time = one.fields.find((field) => field.type === "time");
  const body = one.fields.find((field) => field.type === "string" && /^(message|line|body|text)$/i.test(field.name)) ?? one.fields.find((field) => field.type === "string");
  return (
    <div className="lines" tabIndex={0} role="log">
      {Array.from({ length: Math.min(one.length, ROWS) }, (_, row) => (
        <div key={row}>{time && <span className="log-time">{cellText(time, time.values[row] ?? null)} </span>}{String(body?.values[row] ?? "")}</div>
      ))}
    </div>
  );
}

function Text({ panel }: PanelProps) {
  const content = String(panel.options?.content ?? panel.content ?? "");
  return <div style={{ whiteSpace: "pre-wrap", padding: 8 }}>{content}</div>;
}

export { Gauge, Logs, Stat, Table, Text };
