/** Lines, bars or points over time, with a legend that hides and shows. */

import { useMemo, useState } from "react";
import { axes, axis, Chart, PALETTE, tip } from "../../../shared/chart";
import { useDark } from "../../../shared/theme";
import { plural } from "../../../shared/format";
import type { Annotation } from "../annotations";
import { countOf, type Line, lines, numbersOf, reduce } from "../frame";
import type { FieldDefaults } from "../model";
import { colour, format, steps } from "../units";
import { CROWD, crowd, isPlain, valueAt } from "./crowd";
import type { PanelProps } from ".";

const SHOWN = 100;
const POINT = ["time", "value"];
const PLAIN: FieldDefaults = {};

/** Where many lines cross, thin ones are told apart better; and they are drawn ten times as fast where no graphics card helps. */
const widthFor = (lines: number) => (lines > CROWD ? 1 : 1.6);

/** A series without points that draws annotations: lines at moments, bands over spans. */
export function marked(annotations: Annotation[]): object {
  const moments = annotations.filter((one) => one.until === null);
  const spans = annotations.filter((one) => one.until !== null);
  return {
    type: "line", name: "", data: [], silent: true,
    markLine: { silent: true, symbol: "none", label: { show: false }, data: moments.map((one) => ({ xAxis: one.at, lineStyle: { color: one.colour, type: "dashed", width: 1.4 } })) },
    markArea: { silent: true, data: spans.map((one) => [{ xAxis: one.at, itemStyle: { color: one.colour, opacity: 0.14 } }, { xAxis: one.until }]) },
  };
}

export function TimeSeries({ panel, frames, range, annotations }: PanelProps) {
  const dark = useDark();
  const [hidden, setHidden] = useState<string[]>([]);
  const all = useMemo(() => lines(frames, panel).slice(0, SHOWN), [frames, panel]);
  const defaults = panel.fieldConfig?.defaults ?? PLAIN;
  const colours = useMemo(() => new Map(all.map((line, index) => {
    const fixed = line.config.color?.mode === "fixed" ? colour(line.config.color.fixedColor) : undefined;
    return [line.name, fixed ?? PALETTE[index % PALETTE.length] ?? "#888"];
  })), [all]);
  const option = useMemo(() => {
    const custom = (defaults.custom ?? {}) as { thresholdsStyle?: { mode?: string } };
    const marks = custom.thresholdsStyle?.mode && custom.thresholdsStyle.mode !== "off"
      ? steps(defaults).filter((step) => step.value !== null).map((step) => ({ yAxis: step.value, lineStyle: { color: colour(step.color) ?? "#888", type: "dashed" } }))
      : [];
    const markLine = marks.length > 0 ? { silent: true, symbol: "none", label: { show: false }, data: marks } : undefined;
    const shown = all.filter((line) => !hidden.includes(line.name));
    const widthOf = (line: Line) => Number(line.config.custom?.lineWidth ?? widthFor(all.length));
    const strokes = () => shown.map((line) => ({ points: line.points, colour: colours.get(line.name) ?? "#888", width: widthOf(line), spans: line.config.custom?.spanNulls === true }));
    return {
      ...axes(dark),
      tooltip: {
        ...(axes(dark).tooltip as object),
        formatter: (given: unknown) => {
          const at = (given as { value: [number, number] }[])[0]?.value[0] ?? 0;
          const there = shown.flatMap((line) => {
            const value = valueAt(line, at);
            return value === undefined ? [] : [{ line, value }];
          });
          const sorted = there.sort((a, b) => (b.value || 0) - (a.value || 0)).slice(0, 14);
          const near = annotations.filter((one) => (one.until === null ? Math.abs(one.at - at) <= (range.to - range.from) / 100 : one.at <= at && at <= one.until));
          return tip(`${new Date(at).toISOString().replace("T", " ").slice(0, 16)} UTC`, [
            ...sorted.map(({ line, value }) => ({ color: colours.get(line.name), name: line.name, value: format(value, line.config.unit, defaults.decimals) })),
            ...near.slice(0, 5).map((one) => ({ color: one.colour, name: one.name, value: one.text })),
          ]);
        },
      },
      useUTC: true,
      xAxis: axis(dark, { type: "time", min: range.from, max: range.to, splitLine: { show: false } }),
      yAxis: axis(dark, {
        type: "value", min: defaults.min, max: defaults.max, axisLine: { show: false }, scale: defaults.min === undefined,
        axisLabel: { color: dark ? "#a69d90" : "#665f55", fontSize: 11, formatter: (value: number) => format(value, defaults.unit) },
      }),
      series: (shown.length > CROWD && shown.every(isPlain) ? crowd(strokes(), { markLine }) : shown.map((line, index): object => {
        const style = (line.config.custom ?? {}) as Record<string, unknown>;
        const ink = colours.get(line.name);
        const stacking = (style.stacking as { mode?: string; group?: string } | undefined);
        const isBar = style.drawStyle === "bars";
        return {
          name: line.name, type: isBar ? "bar" : style.drawStyle === "points" ? "scatter" : "line", dimensions: POINT, data: line.points, color: ink,
          showSymbol: style.showPoints === "always" || (countOf(line) < 30 && style.showPoints !== "never"), symbolSize: Number(style.pointSize ?? 5),
          lineStyle: { width: widthOf(line), type: (style.lineStyle as { fill?: string } | undefined)?.fill === "dash" ? "dashed" : "solid" },
          smooth: style.lineInterpolation === "smooth", step: style.lineInterpolation === "stepAfter" ? "end" : style.lineInterpolation === "stepBefore" ? "start" : undefined,
          areaStyle: Number(style.fillOpacity ?? 0) > 0 && !isBar ? { opacity: Number(style.fillOpacity) / 100 } : undefined,
          stack: stacking?.mode && stacking.mode !== "none" ? (stacking.group ?? "A") : undefined,
          connectNulls: style.spanNulls === true, sampling: "lttb", barMaxWidth: 24, progressive: 0,
          markLine: index === 0 ? markLine : undefined,
        };
      })).concat(annotations.length > 0 ? [marked(annotations)] : []),
    };
  }, [all, annotations, colours, dark, defaults, hidden, range]);
  const legend = (panel.options?.legend ?? {}) as { showLegend?: boolean; displayMode?: string; calcs?: string[] };
  const label = `${panel.title || "Chart"}: ${all.map((line) => line.name).join(", ")}`;
  const told = annotations.length > 0 ? `; ${plural(annotations.length, "annotation")}` : "";
  return (
    <>
      <Chart option={option} label={`${label.slice(0, 300)}${told}`} />
      {legend.showLegend !== false && legend.displayMode !== "hidden" && (
        <div className="legend">
          {all.map((line) => (
            <button key={line.name} type="button" aria-pressed={!hidden.includes(line.name)}
              onClick={() => setHidden(hidden.includes(line.name) ? hidden.filter((one) => one !== line.name) : [...hidden, line.name])}>
              <i style={{ background: colours.get(line.name) }} />{line.name}
              {legend.calcs?.map((how) => (
                <span key={how}>{how.replace("NotNull", "")} <b>{format(reduce(numbersOf(line), how), line.config.unit, line.config.decimals)}</b></span>
              ))}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
