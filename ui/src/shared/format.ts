/** Numbers, sizes and times as people read them. */

export function amount(n: number): string {
  return n.toLocaleString("en-US");
}

export function bytes(n: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

export function duration(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function time(text: string | null | undefined): string {
  if (!text) return "–";
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** How long ago, in one word or two. */
export function ago(text: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(text)) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return `${days} ${days === 1 ? "day" : "days"} ago`;
}

export function took(run: { started: string | null; ended: string | null }, now: number): string {
  if (!run.started) return "–";
  return duration((run.ended ? Date.parse(run.ended) : now) - Date.parse(run.started));
}

/** A counter's name as words: `bytes_scanned` is shown as `bytes scanned`. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function counter(name: string, value: number): string {
  return name.startsWith("bytes") ? bytes(value) : amount(value);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${amount(n)} ${n === 1 ? one : many}`;
}
