/** The kinds of panels. A new kind is a component and its line here. */

import type { ComponentType } from "react";
import type { Annotation } from "../annotations";
import type { Frame } from "../frame";
import type { Panel } from "../model";
import type { Range } from "../time";
import { BarChart, Heatmap } from "./charts";
import { NodeGraph } from "./nodes";
import { Gauge, Logs, Stat, Table, Text } from "./simple";
import { TimeSeries } from "./timeseries";

export interface PanelProps {
  panel: Panel;
  frames: Frame[];
  range: Range;
  /** Moments and spans that are drawn over what runs along the time. */
  annotations: Annotation[];
  /** A data link's address for a row. */
  link: (url: string, frame: Frame, row: number, value: string | number | null) => string;
}

export const PANELS: Record<string, ComponentType<PanelProps>> = {
  timeseries: TimeSeries,
  graph: TimeSeries,
  stat: Stat,
  singlestat: Stat,
  gauge: Gauge,
  bargauge: Stat,
  table: Table,
  barchart: BarChart,
  heatmap: Heatmap,
  logs: Logs,
  nodeGraph: NodeGraph,
  text: Text,
};
