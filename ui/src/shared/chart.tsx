/** Charts: Apache ECharts with the parts that the console uses, in the console's colours. */

import { BarChart, CustomChart, GaugeChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import type { EChartsCoreOption } from "echarts/core";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useDark } from "./theme";

echarts.use([
  BarChart, CanvasRenderer, CustomChart, DataZoomComponent, GaugeChart, GridComponent, HeatmapChart, LegendComponent,
  LineChart, MarkAreaComponent, MarkLineComponent, ScatterChart, TooltipComponent, VisualMapComponent,
]);

/** Told apart by people who see few colours too, in both themes. */
export const PALETTE = ["#b86a22", "#2f7f8f", "#7a5ca8", "#5b8c3a", "#c2485a", "#3b6fb5", "#a38a1d", "#8a6d5c", "#3f9c84", "#9c4f8f"];

export interface Ink {
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
}

export function ink(dark: boolean): Ink {
  return dark
    ? { text: "#ece7df", muted: "#a69d90", line: "#36312a", surface: "#1f1c18", accent: "#e0a15e" }
    : { text: "#1f1b16", muted: "#6b645b", line: "#e9e5de", surface: "#ffffff", accent: "#8a4a14" };
}

/** What all charts with axes share. */
export function axes(dark: boolean): EChartsCoreOption {
  const { muted, line } = ink(dark);
  return {
    textStyle: { fontFamily: "Inter Variable, system-ui, sans-serif", color: muted },
    color: PALETTE,
    animation: false,
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true, outerBoundsMode: "same" },
    tooltip: { trigger: "axis", confine: true, transitionDuration: 0, borderWidth: 1, className: "chart-tip", axisPointer: { lineStyle: { color: muted } } },
    line,
  };
}

export function axis(dark: boolean, more: object = {}): object {
  const { muted, line } = ink(dark);
  return {
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: line } },
    ...more,
  };
}

export interface TipLine {
  color?: string;
  name: string;
  value: string;
}

/** The box beside the pointer, as elements: texts of data never become markup. */
export function tip(title: string, lines: TipLine[]): HTMLElement {
  const box = document.createElement("div");
  const head = document.createElement("div");
  head.className = "chart-tip-title";
  head.textContent = title;
  box.append(head);
  for (const line of lines) {
    const row = document.createElement("div");
    row.className = "chart-tip-row";
    const dot = document.createElement("span");
    dot.className = "chart-tip-dot";
    if (line.color) dot.style.background = line.color;
    const name = document.createElement("span");
    name.textContent = line.name;
    const value = document.createElement("b");
    value.textContent = line.value;
    row.append(dot, name, value);
    box.append(row);
  }
  return box;
}

export function Chart({ option, label }: { option: EChartsCoreOption; label: string }) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);
  const dark = useDark();

  useEffect(() => {
    const host = element.current;
    if (!host) return;
    const made = echarts.init(host, undefined, { renderer: "canvas" });
    chart.current = made;
    // It is told of its first size, too, in which it is drawn already.
    const watch = new ResizeObserver(() => {
      if (made.getWidth() !== host.clientWidth || made.getHeight() !== host.clientHeight) made.resize();
    });
    watch.observe(host);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(option, { notMerge: true });
  }, [option, dark]);

  return <div ref={element} className="chart" role="img" aria-label={label} style={{ height: "100%" }} />;
}
