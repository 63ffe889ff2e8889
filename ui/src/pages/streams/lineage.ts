/** Which shard came of which: generations from the oldest shards that are kept to those that are open. */

import type { Shard } from "./types";

export interface Placed {
  shard: Shard;
  generation: number;
  /** Where its hash keys begin and how many they are, as parts of all keys. */
  from: number;
  part: number;
}

/** A hash key as a part of all keys. */
export function partOf(hex: string): number {
  // The first 52 bits are more than a screen can show.
  return Number.parseInt(hex.slice(0, 13), 16) / 2 ** 52;
}

export function lineage(shards: Shard[]): Placed[] {
  const byId = new Map(shards.map((shard) => [shard.id, shard]));
  const known = new Map<string, number>();
  const generation = (shard: Shard, under: Set<string>): number => {
    const found = known.get(shard.id);
    if (found !== undefined) return found;
    if (under.has(shard.id)) return 0;
    under.add(shard.id);
    const parents = [shard.parent, shard.adjacent_parent].flatMap((id) => (id ? (byId.get(id) ?? []) : []));
    const own = parents.length === 0 ? 0 : 1 + Math.max(...parents.map((parent) => generation(parent, under)));
    known.set(shard.id, own);
    return own;
  };
  return shards.map((shard) => {
    const from = partOf(shard.first_hash);
    return { shard, generation: generation(shard, new Set()), from, part: Math.max(partOf(shard.last_hash) - from, 0.002) };
  });
}

/** A text as people read it: JSON with its members on lines of their own. */
export function pretty(text: string): { text: string; isJson: boolean } {
  const trimmed = text.trim();
  if (!/^[[{"]/.test(trimmed)) return { text, isJson: false };
  try {
    return { text: indented(trimmed), isJson: true };
  } catch {
    return { text, isJson: false };
  }
}

/** What is nested deeper stays as it is: it would be more spaces than text. */
const DEEPEST = 100;

/** Indents JSON without reading its numbers: those of more than 53 bits stay as they are. */
function indented(text: string): string {
  JSON.parse(text);
  const out: string[] = [];
  let depth = 0;
  let before = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const token of text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? []) {
    const isFirst = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      depth -= 1;
      // What holds nothing stays on its line.
      if (!isFirst) out.push(line());
    } else if (isFirst) out.push(line());
    if (token === "{" || token === "[") depth += 1;
    if (depth > DEEPEST) return text;
    out.push(token);
    if (token === ",") out.push(line());
    if (token === ":") out.push(" ");
    before = token;
  }
  return out.join("");
}
