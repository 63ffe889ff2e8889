/** The graph of a job, to look at and to join. */

import { Background, BackgroundVariant, Controls, type Edge, Handle, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { ArrowDownToLine, ArrowUpFromLine, Settings2 } from "lucide-react";
import { memo, useEffect, useMemo, useState } from "react";
import { amount } from "../../shared/format";
import { useDark } from "../../shared/theme";
import { layers } from "../dashboards/panels/graph";
import type { JobNode } from "./definition";

interface Shown extends Record<string, unknown> {
  node: JobNode;
  wrong: boolean;
  picked: boolean;
}

const Box = memo(function Box({ data }: NodeProps<Node<Shown>>) {
  const { node, wrong, picked } = data;
  const isSource = /Source$/.test(node.kind);
  const isTarget = /Target$/.test(node.kind);
  return (
    <div className={`job-node ${picked ? "job-node-picked" : ""} ${wrong ? "job-node-wrong" : ""}`}>
      {!isSource && <Handle type="target" position={Position.Left} />}
      <b>{node.name}</b>
      <span className="job-node-kind">{isSource ? <ArrowUpFromLine size={12} /> : isTarget ? <ArrowDownToLine size={12} /> : <Settings2 size={12} />}{node.kind}</span>
      {!isTarget && <Handle type="source" position={Position.Right} />}
    </div>
  );
});

const KINDS = { job: Box };

export function Flow({ nodes, picked, wrong, rows, onPick, onJoin, onPart }: {
  nodes: JobNode[];
  picked: string | null;
  wrong: Set<string>;
  /** Rows out of each node in the last run. */
  rows: Map<string, number>;
  onPick: (id: string | null) => void;
  onJoin: (from: string, to: string) => void;
  onPart: (from: string, to: string) => void;
}) {
  const dark = useDark();
  const [moved, setMoved] = useState<Record<string, { x: number; y: number }>>({});
  const shape = nodes.map((node) => `${node.id}:${node.inputs.join()}`).join(";");
  const places = useMemo(() => {
    const simple = nodes.map((node) => ({ id: node.id, title: node.name, main: null, second: null, arcs: [], row: 0 }));
    const links = nodes.flatMap((node) => node.inputs.map((input) => ({ id: `${input}>${node.id}`, source: input, target: node.id, main: null, second: null, row: 0 })));
    const depth = layers(simple, links);
    const filled = new Map<number, number>();
    return new Map(nodes.map((node) => {
      const layer = depth.get(node.id) ?? 0;
      const line = filled.get(layer) ?? 0;
      filled.set(layer, line + 1);
      return [node.id, { x: layer * 316, y: line * 96 }];
    }));
    // Where nodes stand depends on who is joined with whom, not on their settings.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape]);
  useEffect(() => setMoved({}), [shape]);
  const boxes: Node<Shown>[] = nodes.map((node) => ({
    id: node.id, type: "job", position: moved[node.id] ?? places.get(node.id) ?? { x: 0, y: 0 }, ariaLabel: `${node.name}, ${node.kind}`,
    data: { node, wrong: wrong.has(node.id), picked: picked === node.id },
  }));
  const edges: Edge[] = nodes.flatMap((node) => node.inputs.map((input) => ({
    id: `${input}>${node.id}`, source: input, target: node.id, label: rows.has(input) ? `${amount(rows.get(input) ?? 0)} rows` : undefined,
    ariaLabel: `from ${input} to ${node.id}`,
  })));
  return (
    <div className="job-graph">
      <ReactFlow nodes={boxes} edges={edges} nodeTypes={KINDS} colorMode={dark ? "dark" : "light"} fitView fitViewOptions={{ maxZoom: 1, padding: 0.15 }} minZoom={0.2}
        deleteKeyCode={["Delete", "Backspace"]}
        onNodeClick={(_, node) => onPick(node.id)} onPaneClick={() => onPick(null)}
        onNodeDrag={(_, node) => setMoved((all) => ({ ...all, [node.id]: node.position }))}
        onNodesChange={(changes) => {
          for (const change of changes) {
            if (change.type === "position" && change.position) setMoved((all) => ({ ...all, [change.id]: change.position ?? { x: 0, y: 0 } }));
            if (change.type === "select" && change.selected) onPick(change.id);
          }
        }}
        onConnect={({ source, target }) => onJoin(source, target)}
        onEdgesDelete={(gone) => { for (const edge of gone) onPart(edge.source, edge.target); }}>
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
