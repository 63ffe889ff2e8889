/** A small line of numbers over time, with the latest beside it; a dash where none is known. */

import { amount } from "./format";

const [WIDTH, HEIGHT] = [120, 28];

export function rateText(value: number): string {
  return `${value === 0 ? "0" : value < 10 ? value.toFixed(1) : amount(Math.round(value))}/s`;
}

export function Sparkline({ values, label, latest }: { values: number[]; label: string; latest?: number | null }) {
  if (latest === null) return <span className="spark"><span className="spark-value muted">–</span></span>;
  const most = Math.max(...values, 1e-9);
  const points = values.map((value, index) => `${((index * WIDTH) / Math.max(1, values.length - 1)).toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`);
  const now = latest ?? values.at(-1) ?? 0;
  return (
    <span className="spark">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={`${label}: ${rateText(now)} now, at most ${rateText(Math.max(...values, 0))} in the last minute`}>
        <polyline className="spark-fill" points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
        <polyline className="spark-line" points={points.join(" ")} />
      </svg>
      <span className="spark-value">{rateText(now)}</span>
    </span>
  );
}
