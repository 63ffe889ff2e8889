/** How panels are moved and sized: by pointer, or with the arrow keys; Escape puts a dragged one back. */

import { GripVertical, MoveDiagonal2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { COLUMNS, type Place, placeOf } from "./layout";
import type { Panel } from "./model";

export interface Grips {
  panels: Panel[];
  index: number;
  isPicked: boolean;
  /** Places the panel in what was there before the pointer or the key came. */
  onPlace: (base: Panel[], index: number, to: Place) => void;
}

/** The height of a row with the gap below it, as the board draws them. */
const ROW = 38;
const GAP = 8;

type Apply = (place: Place, columns: number, rows: number) => Place;

const move: Apply = (place, columns, rows) => ({ ...place, x: place.x + columns, y: place.y + rows });
const size: Apply = (place, columns, rows) => ({ ...place, w: place.w + columns, h: place.h + rows });

const KEYS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function useGrip({ panels, index, onPlace }: Grips, apply: Apply) {
  const begun = useRef<{ x: number; y: number; column: number; base: Panel[]; place: Place } | null>(null);
  const own = panels[index];
  return {
    onKeyDown(event: KeyboardEvent<HTMLElement>) {
      const step = KEYS[event.key];
      if (event.key === "Escape" && begun.current) {
        onPlace(begun.current.base, index, begun.current.place);
        begun.current = null;
      }
      if (!step || !own) return;
      event.preventDefault();
      // A row up or down that another panel fills is passed as a whole: it would be pushed back otherwise.
      onPlace(panels, index, apply(placeOf(own), step[0], apply === move ? step[1] * passing(panels, index, step[1]) : step[1]));
    },
    onPointerDown(event: PointerEvent<HTMLElement>) {
      const board = event.currentTarget.closest(".board");
      if (!board || !own || event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      begun.current = { x: event.clientX, y: event.clientY, column: (board.clientWidth + GAP) / COLUMNS, base: panels, place: placeOf(own) };
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      const start = begun.current;
      if (!start) return;
      const [columns, rows] = [Math.round((event.clientX - start.x) / start.column), Math.round((event.clientY - start.y) / ROW)];
      onPlace(start.base, index, apply(start.place, columns, rows));
    },
    onPointerUp() {
      begun.current = null;
    },
    onPointerCancel() {
      begun.current = null;
    },
  };
}

/** How many rows a key moves a panel: over the panel above or below it, if one touches it there. */
export function passing(panels: Panel[], index: number, way: number): number {
  const own = panels[index];
  if (!own || way === 0) return 1;
  const place = placeOf(own);
  const touching = panels.flatMap((panel, at) => {
    const other = placeOf(panel);
    const isBeside = other.x < place.x + place.w && place.x < other.x + other.w;
    const isNext = way < 0 ? other.y + other.h === place.y : other.y === place.y + place.h;
    return at !== index && isBeside && isNext ? [other.h] : [];
  });
  return Math.max(1, ...touching);
}

export function MoveGrip({ grips, title }: { grips: Grips; title: string }) {
  return <button type="button" className="panel-grip" aria-label={`Move ${title}`} title="Drag it, or use the arrow keys" {...useGrip(grips, move)}><GripVertical size={14} aria-hidden /></button>;
}

export function SizeGrip({ grips, title }: { grips: Grips; title: string }) {
  return <button type="button" className="panel-corner" aria-label={`Resize ${title}`} title="Drag it, or use the arrow keys" {...useGrip(grips, size)}><MoveDiagonal2 size={13} aria-hidden /></button>;
}
