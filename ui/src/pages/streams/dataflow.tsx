/** The dataflow of an application, as jobs are drawn. */

import { Background, BackgroundVariant, Controls, type Edge, Handle, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { ArrowDownToLine, Combine, Filter, ListTree, Merge, Sigma, TableProperties, Waves } from "lucide-react";
import { memo, type ReactNode, useMemo } from "react";
import { useDark } from "../../shared/theme";
import { layers } from "../dashboards/panels/graph";
import type { FlowStep } from "./types";

const ICONS: Record<FlowStep["kind"], ReactNode> = {
  source: <Waves size={12} />, filter: <Filter size={12} />, select: <TableProperties size={12} />, windows: <ListTree size={12} />,
  aggregate: <Sigma size={12} />, union: <Combine size={12} />, join: <Merge size={12} />, target: <ArrowDownToLine size={12} />,
};

interface Shown extends Record<string, unknown> {
  step: FlowStep;
}

const Box = memo(function Box({ data }: NodeProps<Node<Shown>>) {
  const { kind, title, detail } = data.step;
  return (
    <div className="job-node flow-step" title={detail}>
      {kind !== "source" && <Handle type="target" position={Position.Left} />}
      <b>{title}</b>
      <span className="job-node-kind">{ICONS[kind]}{kind === title ? "" : kind}</span>
      <span className="flow-detail">{detail}</span>
      {kind !== "target" && <Handle type="source" position={Position.Right} />}
    </div>
  );
});

const KINDS = { step: Box };

export function Dataflow({ steps }: { steps: FlowStep[] }) {
  const dark = useDark();
  const [nodes, edges] = useMemo(() => {
    const links = steps.flatMap((step) => step.inputs.map((input) => ({ id: `${input}>${step.id}`, source: input, target: step.id, main: null, second: null, row: 0 })));
    const depth = layers(steps.map((step) => ({ id: step.id, title: step.title, main: null, second: null, arcs: [], row: 0 })), links);
    const filled = new Map<number, number>();
    const boxes: Node<Shown>[] = steps.map((step) => {
      const layer = depth.get(step.id) ?? 0;
      const line = filled.get(layer) ?? 0;
      filled.set(layer, line + 1);
      return { id: step.id, type: "step", position: { x: layer * 270, y: line * 118 }, data: { step }, ariaLabel: `${step.title}: ${step.detail}` };
    });
    return [boxes, links.map((link): Edge => ({ id: link.id, source: link.source, target: link.target, ariaLabel: `from ${link.source} to ${link.target}` }))] as const;
  }, [steps]);
  return (
    <div className="job-graph">
      <ReactFlow nodes={nodes as Node<Shown>[]} edges={edges as Edge[]} nodeTypes={KINDS} colorMode={dark ? "dark" : "light"} fitView fitViewOptions={{ maxZoom: 1, padding: 0.1 }}
        minZoom={0.2} nodesDraggable={false} nodesConnectable={false} elementsSelectable={false} deleteKeyCode={null}>
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
