/** Rows of a result: only those in sight are drawn, and loaded a page at a time. */

import { type ColumnDef, flexRender, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { amount, plural } from "./format";
import type { Cell, Column } from "./types";

const ROW = 30;

export function isNumber(type: string): boolean {
  return /^(tinyint|smallint|integer|int|bigint|real|double|float|decimal)/i.test(type);
}

export function isTime(type: string): boolean {
  return /^(timestamp|date)/i.test(type);
}

/** A width that fits the names and the first values. */
function widthOf(column: Column, index: number, sample: (Cell[] | undefined)[]): number {
  const longest = sample.reduce((most, row) => Math.max(most, row?.[index]?.length ?? 0), column.name.length + 2);
  return Math.min(420, Math.max(72, longest * 7.9 + 28));
}

export function Grid({ columns, total, row, onRange, label, height }: {
  columns: Column[];
  total: number;
  /** The row, when it is there. */
  row: (index: number) => Cell[] | undefined;
  /** Which rows are in sight. */
  onRange?: (from: number, to: number) => void;
  label: string;
  height?: number | string;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const sample = useMemo(() => Array.from({ length: Math.min(40, total) }, (_, index) => row(index)), [row, total]);
  const definitions = useMemo<ColumnDef<Cell[]>[]>(
    () => columns.map((column, index) => ({
      id: String(index),
      header: column.name,
      size: widthOf(column, index, sample),
      meta: column,
    })),
    // Widths stay as they are while more rows come.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [columns, sample.some(Boolean)],
  );
  const table = useReactTable({
    data: EMPTY,
    columns: definitions,
    columnResizeMode: "onChange",
    getCoreRowModel: getCoreRowModel(),
  });
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
    onChange: (instance) => {
      const items = instance.getVirtualItems();
      const [first, last] = [items[0], items.at(-1)];
      if (first && last) onRange?.(first.index, last.index);
    },
  });
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const width = table.getTotalSize() + 56;
  return (
    <div className="grid" style={{ height: height ?? "100%" }} ref={scroller} role="table" aria-label={label}
      aria-rowcount={total + 1} aria-colcount={columns.length} tabIndex={0}>
      <div role="rowgroup" className="grid-head" style={{ width }}>
        <div role="row" className="grid-row" aria-rowindex={1}>
          <div role="columnheader" className="grid-cell grid-number" aria-label="Row number">#</div>
          {headers.map((header) => {
            const column = header.column.columnDef.meta as Column;
            return (
              <div role="columnheader" key={header.id} style={{ width: header.getSize() }}
                className={`grid-cell ${isNumber(column.type) ? "grid-right" : ""}`} title={`${column.name} ${column.type}`}>
                <span className="grid-name">{flexRender(header.column.columnDef.header, header.getContext())}</span>
                <span className="grid-type">{column.type}</span>
                <div className="grid-grip" onMouseDown={header.getResizeHandler()} onTouchStart={header.getResizeHandler()} />
              </div>
            );
          })}
        </div>
      </div>
      <div role="rowgroup" className="grid-body" style={{ height: virtual.getTotalSize(), width }}>
        {virtual.getVirtualItems().map((item) => {
          const cells = row(item.index);
          return (
            <div role="row" key={item.key} className="grid-row grid-line" aria-rowindex={item.index + 2}
              style={{ transform: `translateY(${item.start}px)`, height: ROW }}>
              <div role="cell" className="grid-cell grid-number">{amount(item.index + 1)}</div>
              {headers.map((header, index) => {
                const column = header.column.columnDef.meta as Column;
                const cell = cells?.[index];
                return (
                  <div role="cell" key={header.id} style={{ width: header.getSize() }} title={cell ?? undefined}
                    className={`grid-cell ${isNumber(column.type) ? "grid-right" : ""} ${cell === null ? "grid-null" : ""}`}>
                    {cells === undefined ? "" : (cell ?? "NULL")}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

const EMPTY: Cell[][] = [];

/** Rows that are all at hand. */
export function RowsGrid({ columns, rows, label, height, more }: { columns: Column[]; rows: Cell[][]; label: string; height?: number | string; more?: boolean }) {
  const row = useMemo(() => (index: number) => rows[index], [rows]);
  return (
    <>
      <Grid columns={columns} total={rows.length} row={row} label={label} height={height ?? Math.min(420, rows.length * ROW + 52)} />
      {more && <p className="muted small grid-more">The first {plural(rows.length, "row")}; there are more.</p>}
    </>
  );
}
