/** Panels and rows that are drawn once for each value of a variable, as Grafana lays them out. */

import { COLUMNS, placeOf } from "./layout";
import { type Dashboard, type Panel, type Section, sections } from "./model";
import type { Chosen } from "./variables";

/** A panel as it is drawn, with the values that its copy has of its own. */
export interface Drawn {
  panel: Panel;
  key: string;
  chosen: Chosen;
}

export interface DrawnSection {
  row: Panel | null;
  key: string;
  chosen: Chosen;
  panels: Drawn[];
}

/** How many copies stand side by side if the panel does not say. */
const PER_ROW = 4;

const keyOf = (panel: Panel, index: number, suffix: string) => `${panel.id ?? `${panel.title ?? panel.type}-${index}`}${suffix}`;

/** The copies of panels within a section, those below moved down by what the copies take. */
function repeated(panels: Panel[], values: (name: string) => string[], chosen: Chosen, suffix: string): Drawn[] {
  const found: Drawn[] = [];
  const sorted = panels.map((panel, index) => ({ panel, index })).sort((a, b) => placeOf(a.panel).y - placeOf(b.panel).y || placeOf(a.panel).x - placeOf(b.panel).x);
  let pushed = 0;
  let level = -1;
  let added = 0;
  for (const { panel, index } of sorted) {
    const place = placeOf(panel);
    // What stands in the same row is pushed by what stands above it alone.
    if (place.y > level) {
      pushed += added;
      added = 0;
      level = place.y;
    }
    const all = panel.repeat ? (chosen[panel.repeat] ?? values(panel.repeat)) : [];
    const at = { ...place, y: place.y + pushed };
    if (all.length === 0) {
      found.push({ panel: { ...panel, gridPos: at }, key: keyOf(panel, index, suffix), chosen });
      continue;
    }
    const isAcross = panel.repeatDirection !== "v";
    const perRow = Math.max(1, Math.min(all.length, panel.maxPerRow ?? PER_ROW));
    const w = isAcross ? Math.max(1, Math.floor(COLUMNS / perRow)) : place.w;
    all.forEach((value, copy) => {
      const [column, line] = isAcross ? [copy % perRow, Math.floor(copy / perRow)] : [0, copy];
      found.push({
        panel: { ...panel, gridPos: { x: isAcross ? column * w : place.x, y: at.y + line * place.h, w, h: place.h } },
        key: `${keyOf(panel, index, suffix)}-${value}`,
        chosen: { ...chosen, [panel.repeat ?? ""]: [value] },
      });
    });
    const lines = isAcross ? Math.ceil(all.length / perRow) : all.length;
    added = Math.max(added, (lines - 1) * place.h);
  }
  return found;
}

/** All sections with their copies. `values` are those that a variable has now; of one that is not there, none. */
export function drawn(dashboard: Dashboard, values: (name: string) => string[]): DrawnSection[] {
  return sections(dashboard).flatMap((section: Section, index): DrawnSection[] => {
    const { row } = section;
    const all = row?.repeat ? values(row.repeat) : [];
    if (!row || all.length === 0) {
      return [{ row, key: row ? keyOf(row, index, "") : `top-${index}`, chosen: {}, panels: repeated(section.panels, values, {}, "") }];
    }
    return all.map((value) => {
      const chosen = { [row.repeat ?? ""]: [value] };
      return { row, key: `${keyOf(row, index, "")}-${value}`, chosen, panels: repeated(section.panels, values, chosen, `-${value}`) };
    });
  });
}
