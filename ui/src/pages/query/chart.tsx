/** One click from rows to a chart: what goes where is guessed from the columns, and can be changed. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { get } from "../../shared/api";
import { axes, axis, Chart, tip } from "../../shared/chart";
import { amount } from "../../shared/format";
import { isNumber, isTime } from "../../shared/grid";
import { useDark } from "../../shared/theme";
import type { Cell, Column, ResultPage } from "../../shared/types";
import { Empty, ErrorBox, Field, Loading } from "../../shared/ui";

const CHARTED = 10_000;
const PAGE = 1000;

export type Shape = "line" | "bar" | "scatter";

export interface Choice {
  shape: Shape;
  x: number;
  y: number[];
  /** The column whose values tell the series apart. */
  by: number | null;
}

/** A sensible chart for these columns; none when there is no number. */
export function guess(columns: Column[]): Choice | null {
  const numbers = columns.flatMap((column, index) => (isNumber(column.type) ? [index] : []));
  if (numbers.length === 0) return null;
  const time = columns.findIndex((column) => isTime(column.type));
  const words = columns.flatMap((column, index) => (!isNumber(column.type) && !isTime(column.type) ? [index] : []));
  if (time >= 0) return { shape: "line", x: time, y: numbers.slice(0, 1), by: words[0] ?? null };
  if (words[0] !== undefined) return { shape: "bar", x: words[0], y: numbers.slice(0, 1), by: null };
  const [x, ...rest] = numbers;
  return rest.length > 0 ? { shape: "scatter", x: x ?? 0, y: rest.slice(0, 1), by: null } : { shape: "bar", x: x ?? 0, y: numbers, by: null };
}

/** Milliseconds since 1970 of a value of a time column; texts without a zone are UTC. */
export function millis(cell: Cell): number {
  if (cell === null) return Number.NaN;
  const text = cell.replace(/ UTC$/, "Z").replace(" ", "T");
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) || text.length <= 10 ? text : `${text}Z`);
}

export interface Series {
  name: string;
  points: [number | string, number][];
}

export function series(columns: Column[], rows: Cell[][], choice: Choice): Series[] {
  const isTimed = isTime(columns[choice.x]?.type ?? "");
  const isScatter = choice.shape === "scatter";
  const found = new Map<string, Series>();
  for (const row of rows) {
    for (const y of choice.y) {
      const value = row[y];
      if (value === null || value === undefined) continue;
      const own = choice.by === null ? "" : (row[choice.by] ?? "NULL");
      const name = [own, choice.y.length > 1 || !own ? (columns[y]?.name ?? "") : ""].filter(Boolean).join(" ");
      const one = found.get(name) ?? { name, points: [] };
      found.set(name, one);
      const cell = row[choice.x] ?? null;
      one.points.push([isTimed ? millis(cell) : isScatter ? Number(cell) : (cell ?? "NULL"), Number(value)]);
    }
  }
  const all = [...found.values()];
  if (isTimed) for (const one of all) one.points.sort((a, b) => Number(a[0]) - Number(b[0]));
  return all;
}

export function ResultChart({ run, total }: { run: string; total: number }) {
  const data = useQuery({
    queryKey: ["chart", run],
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const pages = Math.ceil(Math.min(total, CHARTED) / PAGE);
      const all = await Promise.all(Array.from({ length: Math.max(1, pages) }, (_, index) =>
        get<ResultPage>(`/results/${run}?from=${index * PAGE}&limit=${PAGE}`, signal)));
      return { columns: all[0]?.columns ?? [], rows: all.flatMap((one) => one.rows) };
    },
  });
  if (data.isError) return <div className="card-body"><ErrorBox error={data.error} /></div>;
  if (!data.data) return <Loading what="Loading rows" />;
  return <Drawn columns={data.data.columns} rows={data.data.rows} total={total} />;
}

function Drawn({ columns, rows, total }: { columns: Column[]; rows: Cell[][]; total: number }) {
  const dark = useDark();
  const [choice, setChoice] = useState(() => guess(columns));
  const option = useMemo(() => {
    if (!choice) return null;
    const all = series(columns, rows, choice).slice(0, 40);
    const isTimed = isTime(columns[choice.x]?.type ?? "");
    const kind = isTimed ? "time" : choice.shape === "scatter" ? "value" : "category";
    return {
      ...axes(dark),
      tooltip: {
        ...(axes(dark).tooltip as object),
        trigger: choice.shape === "scatter" ? "item" : "axis",
        formatter: (given: unknown) => {
          const list = (Array.isArray(given) ? given : [given]) as { seriesName: string; color: string; value: [number | string, number]; axisValueLabel?: string }[];
          const title = list[0]?.axisValueLabel ?? String(list[0]?.value[0] ?? "");
          return tip(title, list.map((one) => ({ color: one.color, name: one.seriesName, value: amount(one.value[1]) })));
        },
      },
      legend: all.length > 1 ? { type: "scroll", top: 0, left: 8, icon: "roundRect", itemWidth: 10, itemHeight: 4, textStyle: { color: dark ? "#a69d90" : "#665f55" } } : undefined,
      grid: { left: 8, right: 16, top: all.length > 1 ? 36 : 16, bottom: 8, containLabel: true },
      xAxis: axis(dark, { type: kind, splitLine: { show: kind === "value" }, ...(kind === "category" ? { data: [...new Set(all.flatMap((one) => one.points.map(([x]) => x)))] } : {}) }),
      yAxis: axis(dark, { type: "value", axisLine: { show: false } }),
      series: all.map((one) => ({
        name: one.name, type: choice.shape, data: one.points, showSymbol: one.points.length < 40, symbolSize: choice.shape === "scatter" ? 7 : 5,
        lineStyle: { width: 1.8 }, barMaxWidth: 44, itemStyle: choice.shape === "bar" ? { borderRadius: [4, 4, 0, 0] } : {}, large: true,
      })),
    };
  }, [choice, columns, dark, rows]);
  if (!choice || !option) return <Empty title="There is no number to chart">A chart needs at least one column of numbers.</Empty>;
  const named = columns.map((column, index) => <option key={index} value={index}>{column.name}</option>);
  return (
    <>
      <div className="chart-controls">
        <Field label="Shape">
          <select value={choice.shape} onChange={(e) => setChoice({ ...choice, shape: e.target.value as Shape })}>
            <option value="line">Line</option><option value="bar">Bar</option><option value="scatter">Points</option>
          </select>
        </Field>
        <Field label="Across"><select value={choice.x} onChange={(e) => setChoice({ ...choice, x: Number(e.target.value) })}>{named}</select></Field>
        <Field label="Up"><select value={choice.y[0]} onChange={(e) => setChoice({ ...choice, y: [Number(e.target.value)] })}>
          {columns.map((column, index) => isNumber(column.type) && <option key={index} value={index}>{column.name}</option>)}
        </select></Field>
        <Field label="One series per"><select value={choice.by ?? ""} onChange={(e) => setChoice({ ...choice, by: e.target.value === "" ? null : Number(e.target.value) })}>
          <option value="">nothing</option>{named}
        </select></Field>
        {total > CHARTED && <span className="muted small">The first {amount(CHARTED)} of {amount(total)} rows</span>}
      </div>
      <Chart option={option} label={`Chart of ${choice.y.map((y) => columns[y]?.name).join(", ")} by ${columns[choice.x]?.name}`} />
    </>
  );
}
