/** Where panels stand: 24 columns, rows of one height. What is moved pushes others down; nothing hangs in the air. */

import type { Panel } from "./model";

export const COLUMNS = 24;

export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export const placeOf = (panel: Panel): Place => panel.gridPos ?? { x: 0, y: 0, w: 12, h: 8 };

/** A place that fits into the columns. */
export function fitting(place: Place): Place {
  const w = Math.min(COLUMNS, Math.max(2, Math.round(place.w)));
  return { w, h: Math.max(2, Math.round(place.h)), x: Math.min(COLUMNS - w, Math.max(0, Math.round(place.x))), y: Math.max(0, Math.round(place.y)) };
}

const overlap = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** The panels with one of them at another place; the others make room, then all move up as far as they can. */
export function moved(panels: Panel[], index: number, to: Place): Panel[] {
  const own = panels[index];
  if (!own) return panels;
  const target = own.type === "row" ? { ...to, x: 0, w: COLUMNS, h: 1, y: Math.max(0, Math.round(to.y)) } : fitting(to);
  const before = placeOf(own);
  // One that comes from above takes the place behind those that it passes, as they move up.
  const down = target.y > before.y;
  const order = panels.map((panel, at) => ({ at, place: at === index ? target : placeOf(panel) }));
  order.sort((a, b) => {
    const rows = a.place.y - b.place.y;
    if (rows !== 0) return rows;
    if (a.at === index || b.at === index) {
      const others = a.at === index ? b : a;
      const goesFirst = !(down && before.y < others.place.y && others.place.y + others.place.h <= target.y + target.h);
      return (a.at === index) === goesFirst ? -1 : 1;
    }
    return a.place.x - b.place.x;
  });
  const set = new Map<number, Place>();
  for (const { at, place } of order) {
    const found = { ...place };
    const hits = () => [...set.values()].some((one) => overlap(one, found));
    while (hits()) found.y += 1;
    while (found.y > 0) {
      found.y -= 1;
      if (hits()) {
        found.y += 1;
        break;
      }
    }
    set.set(at, found);
  }
  return panels.map((panel, at) => ({ ...panel, gridPos: { ...panel.gridPos, ...(set.get(at) ?? placeOf(panel)) } }));
}
