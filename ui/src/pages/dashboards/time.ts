/** Time ranges as Grafana writes them: `now-6h`, `now/d`, dates, milliseconds. All times are UTC. */

export interface Range {
  from: number;
  to: number;
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, M: 2_592_000_000, y: 31_536_000_000 };

/** The start, or the end, of the unit in which that time is. */
function rounded(at: number, unit: string, up: boolean): number {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  let [start, end] = [0, 0];
  if (unit === "y") [start, end] = [Date.UTC(year, 0), Date.UTC(year + 1, 0)];
  else if (unit === "M") [start, end] = [Date.UTC(year, month), Date.UTC(year, month + 1)];
  else if (unit === "w") {
    start = Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7));
    end = start + 7 * 86_400_000;
  } else {
    const size = UNITS[unit] ?? 1000;
    start = Math.floor(at / size) * size;
    end = start + size;
  }
  return up ? end - 1 : start;
}

/** One end of a range; `Number.NaN` when it cannot be read. */
export function parse(text: string, now: number, isEnd: boolean): number {
  const trimmed = text.trim();
  if (/^\d{10,}$/.test(trimmed)) return Number(trimmed);
  if (!trimmed.startsWith("now")) {
    const iso = trimmed.replace(" ", "T");
    return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) || iso.length <= 10 ? iso : `${iso}Z`);
  }
  let at = now;
  let rest = trimmed.slice(3);
  while (rest) {
    const step = /^([+-])(\d+)([smhdwMy])/.exec(rest);
    const round = /^\/([smhdwMy])/.exec(rest);
    if (step) {
      at += (step[1] === "-" ? -1 : 1) * Number(step[2]) * (UNITS[step[3] ?? "s"] ?? 0);
      rest = rest.slice(step[0].length);
    } else if (round) {
      at = rounded(at, round[1] ?? "s", isEnd);
      rest = rest.slice(round[0].length);
    } else return Number.NaN;
  }
  return at;
}

export function range(from: string, to: string, now: number): Range | null {
  const found = { from: parse(from, now, false), to: parse(to, now, true) };
  return Number.isFinite(found.from) && Number.isFinite(found.to) && found.from < found.to ? found : null;
}

/**
 * A range whose ends move with the time, its ends moved on to the next step of about a thousandth of its length: refreshed
 * within that step it is the same, and what it shows was worked out already.
 */
export function steady(from: string, to: string, now: number): Range | null {
  const exact = range(from, to, now);
  if (!exact) return null;
  const step = NICE.findLast(([size]) => size <= (exact.to - exact.from) / 1000)?.[0] ?? 1000;
  return range(from, to, Math.ceil(now / step) * step);
}

/** `5m` in milliseconds. */
export function millisOf(interval: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|[smhdwMy])$/.exec(interval.trim());
  if (!found) return Number.NaN;
  return Number(found[1]) * (found[2] === "ms" ? 1 : (UNITS[found[2] ?? "s"] ?? Number.NaN));
}

const NICE: [number, string][] = [
  [1000, "1s"], [5000, "5s"], [10_000, "10s"], [30_000, "30s"], [60_000, "1m"], [300_000, "5m"], [600_000, "10m"], [900_000, "15m"],
  [1_800_000, "30m"], [3_600_000, "1h"], [10_800_000, "3h"], [21_600_000, "6h"], [43_200_000, "12h"], [86_400_000, "1d"], [604_800_000, "7d"],
  [2_592_000_000, "30d"],
];

/** The distance between points, so that about so many are shown; never less than the least. */
export function interval(shown: Range, points: number, least?: string): string {
  const wanted = Math.max((shown.to - shown.from) / Math.max(1, points), least ? millisOf(least.replace(/^>/, "")) || 0 : 0);
  return (NICE.find(([size]) => size >= wanted) ?? NICE.at(-1) ?? [0, "30d"])[1];
}

/** A time in words of SQL. */
export function sqlTime(millis: number): string {
  return new Date(millis).toISOString().replace("T", " ").slice(0, 23).replace(/\.000$/, "");
}
