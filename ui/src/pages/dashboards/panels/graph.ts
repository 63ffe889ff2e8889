/** Where the nodes of a graph stand: in layers from those that call to those that are called. */

export interface GraphNode {
  id: string;
  title: string;
  main: number | null;
  second: number | null;
  /** Shares of the ring, with the colour's field name. */
  arcs: { name: string; share: number }[];
  row: number;
}

export interface GraphEdge {
  id: string;
  source: string;
  target: string;
  main: number | null;
  second: number | null;
  row: number;
}

export interface Placed {
  x: number;
  y: number;
}

/** The longest way from a node that nobody calls; edges that would close a circle are passed over. */
export function layers(nodes: GraphNode[], edges: GraphEdge[]): Map<string, number> {
  const out = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  const inward = new Map<string, number>(nodes.map((node) => [node.id, 0]));
  const state = new Map<string, 1 | 2>();
  const visit = (id: string, from: Map<string, string[]>) => {
    state.set(id, 1);
    for (const next of all.get(id) ?? []) {
      if (state.get(next) === 1) continue;
      from.get(id)?.push(next);
      inward.set(next, (inward.get(next) ?? 0) + 1);
      if (!state.has(next)) visit(next, from);
    }
    state.set(id, 2);
  };
  const all = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  for (const edge of edges) if (edge.source !== edge.target && all.has(edge.target)) all.get(edge.source)?.push(edge.target);
  const called = new Set(edges.filter((edge) => edge.source !== edge.target).map((edge) => edge.target));
  const first = [...nodes.filter((node) => !called.has(node.id)), ...nodes];
  for (const node of first) if (!state.has(node.id)) visit(node.id, out);
  const depth = new Map<string, number>();
  const ready = nodes.filter((node) => inward.get(node.id) === 0).map((node) => node.id);
  for (const id of ready) depth.set(id, 0);
  while (ready.length > 0) {
    const id = ready.shift() ?? "";
    for (const next of out.get(id) ?? []) {
      depth.set(next, Math.max(depth.get(next) ?? 0, (depth.get(id) ?? 0) + 1));
      const left = (inward.get(next) ?? 1) - 1;
      inward.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return depth;
}

/** Places in a field of this size. Within a layer, nodes stand near those that call them. */
export function place(nodes: GraphNode[], edges: GraphEdge[], width: number, height: number): Map<string, Placed> {
  const depth = layers(nodes, edges);
  const count = Math.max(0, ...depth.values()) + 1;
  const rows: string[][] = Array.from({ length: count }, () => []);
  for (const node of nodes) rows[depth.get(node.id) ?? 0]?.push(node.id);
  const places = new Map<string, Placed>();
  rows.forEach((ids, layer) => {
    const rank = (id: string) => {
      const callers = edges.filter((edge) => edge.target === id && places.has(edge.source)).map((edge) => places.get(edge.source)?.y ?? 0);
      return callers.length > 0 ? callers.reduce((a, b) => a + b) / callers.length : height / 2;
    };
    ids.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
    // A lone node stands a little above or below the middle, so that edges over it do not run through it.
    const aside = ids.length === 1 && layer > 0 ? (layer % 2 === 0 ? 0.14 : -0.14) * height : 0;
    ids.forEach((id, index) => places.set(id, { x: ((layer + 0.5) * width) / count, y: ((index + 0.5) * height) / ids.length + aside }));
  });
  return places;
}
