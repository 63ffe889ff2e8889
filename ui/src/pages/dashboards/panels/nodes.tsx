/** Grafana's node graph: nodes with their shares as a ring, edges as wide as what goes over them. */

import { useMemo } from "react";
import { navigate } from "../../../shared/router";
import type { Frame } from "../frame";
import { colour, format } from "../units";
import { type GraphEdge, type GraphNode, place } from "./graph";
import type { PanelProps } from ".";

const RADIUS = 31;

function at(frame: Frame, name: string, row: number): string | number | null {
  return frame.fields.find((field) => field.name.toLowerCase() === name)?.values[row] ?? null;
}

const number = (value: string | number | null) => (value === null ? null : Number(value));

/** The nodes and edges of the frames; edges have a source and a target. Nodes that no frame names come from the edges. */
export function graphOf(frames: Frame[]): { nodes: GraphNode[]; edges: GraphEdge[]; nodeFrame?: Frame; edgeFrame?: Frame } {
  const has = (frame: Frame, name: string) => frame.fields.some((field) => field.name.toLowerCase() === name);
  const edgeFrame = frames.find((frame) => has(frame, "source") && has(frame, "target"));
  const nodeFrame = frames.find((frame) => frame !== edgeFrame && has(frame, "id"));
  const rows = (frame?: Frame) => Array.from({ length: frame?.length ?? 0 }, (_, row) => row);
  const edges = edgeFrame ? rows(edgeFrame).map((row): GraphEdge => {
    const [source, target] = [String(at(edgeFrame, "source", row)), String(at(edgeFrame, "target", row))];
    return { id: String(at(edgeFrame, "id", row) ?? `${source}/${target}`), source, target, main: number(at(edgeFrame, "mainstat", row)), second: number(at(edgeFrame, "secondarystat", row)), row };
  }) : [];
  const nodes = nodeFrame ? rows(nodeFrame).map((row): GraphNode => {
    const id = String(at(nodeFrame, "id", row));
    const arcs = nodeFrame.fields.filter((field) => field.name.toLowerCase().startsWith("arc__")).map((field) => ({ name: field.name, share: Number(field.values[row] ?? 0) }));
    return { id, title: String(at(nodeFrame, "title", row) ?? id), main: number(at(nodeFrame, "mainstat", row)), second: number(at(nodeFrame, "secondarystat", row)), arcs, row };
  }) : [];
  const known = new Set(nodes.map((node) => node.id));
  for (const id of new Set(edges.flatMap((edge) => [edge.source, edge.target]))) {
    if (!known.has(id)) nodes.push({ id, title: id, main: null, second: null, arcs: [], row: -1 });
  }
  return { nodes, edges, nodeFrame, edgeFrame };
}

/** A statistic of a node in the words of its column: its display name, else the column's own. */
function stat(frame: Frame | undefined, row: number, name: string): string[] {
  const field = row >= 0 ? frame?.fields.find((one) => one.name.toLowerCase() === name) : undefined;
  if (!field) return [];
  const value = field.values[row] ?? null;
  const text = typeof value === "number" ? format(value, field.config.unit, field.config.decimals) : String(value ?? "–");
  return [field.config.displayName ? `${field.config.displayName}: ${text}` : text];
}

export function NodeGraph({ panel, frames, link }: PanelProps) {
  const { nodes, edges, nodeFrame, edgeFrame } = useMemo(() => graphOf(frames), [frames]);
  // As high as the panel is in proportion to its width, so that the graph fills it.
  const size = panel.gridPos ?? { w: 16, h: 14 };
  const [width, height] = [960, Math.max(320, Math.min(900, (960 * (size.h * 38 - 60)) / (size.w * 47)))];
  const places = useMemo(() => place(nodes, edges, width, height), [nodes, edges, height]);
  const most = Math.max(1, ...edges.map((edge) => edge.main ?? 0));
  const unit = (name: string) => edgeFrame?.fields.find((field) => field.name.toLowerCase() === name)?.config.unit;
  if (nodes.length === 0) return <div className="big muted">No nodes</div>;
  return (
    <svg className="nodes" viewBox={`0 0 ${width} ${height}`} role="group" aria-label={`${panel.title ?? "Graph"}: ${nodes.length} nodes, ${edges.length} edges`}>
      <defs>
        <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
          <path d="M0 0 8 4 0 8z" fill="var(--line-strong)" />
        </marker>
      </defs>
      {edges.map((edge) => {
        const [a, b] = [places.get(edge.source), places.get(edge.target)];
        if (!a || !b || edge.source === edge.target) return null;
        // An edge that passes over a layer, or goes back, makes a bow around what stands between.
        const layer = width / Math.max(1, new Set([...places.values()].map(({ x }) => Math.round(x))).size);
        const passes = Math.abs(b.x - a.x) > layer * 1.5 || b.x <= a.x;
        const bend = passes ? (a.y + b.y > height ? 1 : -1) * Math.max(44, Math.abs(b.x - a.x) * 0.16) : 0;
        const far = Math.hypot(b.x - a.x, b.y - a.y) || 1;
        const start = { x: a.x + ((b.x - a.x) / far) * (RADIUS + 3), y: a.y + ((b.y - a.y) / far) * (RADIUS + 3) };
        const end = { x: b.x - ((b.x - a.x) / far) * (RADIUS + 6), y: b.y - ((b.y - a.y) / far) * (RADIUS + 6) };
        const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 + bend };
        const d = bend ? `M${start.x} ${start.y}Q${middle.x} ${middle.y} ${end.x} ${end.y}` : `M${start.x} ${start.y}L${end.x} ${end.y}`;
        const share = (edge.main ?? 0) / most;
        return (
          <g key={edge.id} className="edge-group" data-edge={`${edge.source}>${edge.target}`}>
            <title>{[`${edge.source} → ${edge.target}`, ...stat(edgeFrame, edge.row, "mainstat"), ...stat(edgeFrame, edge.row, "secondarystat")].join("\n")}</title>
            <path className="edge-hit" d={d} /><path className="edge" d={d} strokeWidth={1 + 6 * share} markerEnd="url(#tip)" />
            <text className="edge-label" x={start.x + (end.x - start.x) * 0.42} y={start.y + (end.y - start.y) * 0.42 - 4 + bend / 2} textAnchor="middle">{format(edge.main, unit("mainstat") ?? "short")}</text>
          </g>
        );
      })}
      {nodes.map((node) => {
        const spot = places.get(node.id);
        if (!spot) return null;
        const to = nodeFrame && node.row >= 0 ? (nodeFrame.fields.find((field) => field.config.links?.[0])?.config.links?.[0]) : undefined;
        const go = () => to && nodeFrame && navigate(link(to.url, nodeFrame, node.row, node.id));
        return (
          <g key={node.id} className="node" data-node={node.id} transform={`translate(${spot.x} ${spot.y})`} role={to ? "link" : undefined} tabIndex={to ? 0 : undefined}
            onClick={go} onKeyDown={(event) => event.key === "Enter" && go()}>
            <title>{[node.title, ...(["mainstat", "secondarystat"] as const).flatMap((name) => stat(nodeFrame, node.row, name))].join("\n")}</title>
            <circle r={RADIUS} className="face" /><circle r={RADIUS} className="ring" />
            <Ring node={node} frame={nodeFrame} />
            <text className="node-main" textAnchor="middle" y={node.second === null ? 5 : 0}>{format(node.main, "short")}</text>
            {node.second !== null && <text className="node-second" textAnchor="middle" y={14}>{format(node.second, "short")}</text>}
            <text className="node-name" textAnchor="middle" y={RADIUS + 18}>{node.title}</text>
          </g>
        );
      })}
    </svg>
  );
}

function Ring({ node, frame }: { node: GraphNode; frame?: Frame }) {
  let from = 0;
  return node.arcs.map(({ name, share }) => {
    const config = frame?.fields.find((field) => field.name === name)?.config;
    const shade = colour(config?.color?.fixedColor) ?? (/fail|error|bad/i.test(name) ? "#c2404e" : "#4f8f3a");
    const length = 2 * Math.PI * RADIUS;
    const start = from;
    from += share;
    if (share <= 0) return null;
    return <circle key={name} r={RADIUS} fill="none" stroke={shade} strokeWidth={4} strokeDasharray={`${share * length} ${length}`} strokeDashoffset={-start * length} transform="rotate(-90)" />;
  });
}
