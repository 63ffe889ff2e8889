/** Bars by category, and heatmaps. */

import { useMemo } from "react";
import { axes, axis, Chart, PALETTE, tip } from "../../../shared/chart";
import { useDark } from "../../../shared/theme";
import { countOf, type Line, lines } from "../frame";
import { colour, format, thresholdColour } from "../units";
import { cellText } from "./simple";
import type { PanelProps } from ".";

export function BarChart({ panel, frames }: PanelProps) {
  const dark = useDark();
  const one = frames[0];
  const option = useMemo(() => {
    if (!one) return null;
    const wanted = panel.options?.xField as string | undefined;
    const names = one.fields.find((field) => field.name === wanted) ?? one.fields.find((field) => field.type === "string") ?? one.fields.find((field) => field.type === "time");
    const numbers = one.fields.filter((field) => field.type === "number" && field !== names);
    const isLying = panel.options?.orientation === "horizontal";
    const categories = names ? names.values.map((value) => cellText(names, value)) : Array.from({ length: one.length }, (_, row) => String(row + 1));
    const stacked = panel.options?.stacking === "normal" || panel.options?.stacking === "percent";
    const category = axis(dark, { type: "category", data: categories, inverse: isLying, splitLine: { show: false } });
    const unit = numbers[0]?.config.unit;
    const value = axis(dark, { type: "value", axisLine: { show: false }, axisLabel: { color: dark ? "#a69d90" : "#665f55", fontSize: 11, formatter: (n: number) => format(n, unit) } });
    return {
      ...axes(dark),
      tooltip: {
        ...(axes(dark).tooltip as object),
        formatter: (given: unknown) => {
          const list = given as { name: string; seriesName: string; color: string; value: number | null }[];
          return tip(list[0]?.name ?? "", list.map((entry) => ({ color: entry.color, name: entry.seriesName, value: format(entry.value, unit) })));
        },
      },
      legend: numbers.length > 1 ? { top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 6, textStyle: { color: dark ? "#a69d90" : "#665f55", fontSize: 12 } } : undefined,
      grid: { left: 8, right: 16, top: numbers.length > 1 ? 32 : 12, bottom: 8, containLabel: true },
      xAxis: isLying ? value : category,
      yAxis: isLying ? category : value,
      series: numbers.map((field, index) => ({
        name: field.config.displayName ?? field.name, type: "bar", stack: stacked ? "all" : undefined, barMaxWidth: 40,
        color: (field.config.color?.mode === "fixed" ? colour(field.config.color.fixedColor) : undefined) ?? PALETTE[index % PALETTE.length],
        data: field.values.map((n) => ({ value: n, itemStyle: field.config.color?.mode === "thresholds" ? { color: thresholdColour(n as number | null, field.config) } : undefined })),
        itemStyle: { borderRadius: stacked ? 0 : isLying ? [0, 3, 3, 0] : [3, 3, 0, 0] },
      })),
    };
  }, [dark, one, panel]);
  return option ? <Chart option={option} label={`${panel.title}: bars`} /> : null;
}

const CELL = ["time", "line", "value"];
const BORDERED = 80;

/** Where each number stands, as place in time, place of the line, number; and the times, and the greatest number. */
export function cellsOf(all: Line[]): { times: number[]; cells: Float64Array; most: number } {
  const known = new Set<number>();
  for (const { points } of all) for (let index = 0; index < points.length; index += 2) known.add(points[index] ?? 0);
  const times = [...known].sort((a, b) => a - b);
  const place = new Map(times.map((at, index) => [at, index]));
  const cells = new Float64Array(all.reduce((sum, line) => sum + countOf(line), 0) * 3);
  let [end, most] = [0, 0];
  all.forEach(({ points }, row) => {
    for (let index = 0; index < points.length; index += 2, end += 3) {
      const value = points[index + 1] || 0;
      cells.set([place.get(points[index] ?? 0) ?? 0, row, value], end);
      most = Math.max(most, value);
    }
  });
  return { times, cells, most };
}

export function Heatmap({ panel, frames }: PanelProps) {
  const dark = useDark();
  const option = useMemo(() => {
    const all = lines(frames, panel);
    const { times, cells, most } = cellsOf(all);
    const unit = panel.fieldConfig?.defaults?.unit;
    const shown = (at: number) => new Date(at).toISOString().replace("T", " ").slice(5, 16);
    return {
      ...axes(dark),
      tooltip: {
        ...(axes(dark).tooltip as object), trigger: "item",
        formatter: (given: unknown) => {
          const { value, color } = given as { value: [number, number, number]; color: string };
          return tip(`${shown(times[value[0]] ?? 0)} UTC`, [{ color, name: all[value[1]]?.name ?? "", value: format(value[2], unit) }]);
        },
      },
      xAxis: axis(dark, { type: "category", data: times.map(shown), splitLine: { show: false } }),
      yAxis: axis(dark, { type: "category", data: all.map((line) => line.name), splitLine: { show: false } }),
      visualMap: { min: 0, max: most || 1, show: false, inRange: { color: dark ? ["#2a2118", "#8a4a14", "#e8b77c"] : ["#fdf3e7", "#dc9b52", "#7a3b08"] } },
      // All at once, so that what is drawn is whole; a border around narrow cells would hide them.
      series: [{ type: "heatmap", progressive: 0, dimensions: CELL, data: cells, itemStyle: times.length <= BORDERED ? { borderColor: dark ? "#1f1c18" : "#ffffff", borderWidth: 1 } : {} }],
    };
  }, [dark, frames, panel]);
  return <Chart option={option} label={`${panel.title}: heatmap`} />;
}
