/** Numbers with units and colours by thresholds, as Grafana names them. */

import type { FieldDefaults, Step } from "./model";

const SHORT = ["", " K", " Mil", " Bil", " Tri"];
const BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];
const IBYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function scaled(value: number, base: number, names: string[], decimals: number | null | undefined): string {
  let at = 0;
  let rest = value;
  while (Math.abs(rest) >= base && at < names.length - 1) {
    rest /= base;
    at += 1;
  }
  const name = names[at] ?? "";
  return `${plain(rest, decimals)}${name.startsWith(" ") || !name ? name : ` ${name}`}`;
}

const FORMATS = new Map<number, Intl.NumberFormat>();

/** A format of so many digits behind the point, at least and at most: making one takes far longer than using it. */
function digitsFormat(least: number, most: number): Intl.NumberFormat {
  const key = least * 1000 + most;
  let found = FORMATS.get(key);
  if (!found) {
    found = new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
    FORMATS.set(key, found);
  }
  return found;
}

export function plain(value: number, decimals?: number | null): string {
  if (decimals !== undefined && decimals !== null) return digitsFormat(decimals, decimals).format(value);
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.01 || size === 0 ? 2 : 4;
  return digitsFormat(0, digits).format(value);
}

function time(millis: number, decimals?: number | null): string {
  const size = Math.abs(millis);
  if (size < 1) return `${plain(millis * 1000, decimals)} µs`;
  if (size < 1000) return `${plain(millis, decimals)} ms`;
  if (size < 60_000) return `${plain(millis / 1000, decimals)} s`;
  if (size < 3_600_000) return `${plain(millis / 60_000, decimals)} min`;
  if (size < 86_400_000) return `${plain(millis / 3_600_000, decimals)} hour`;
  return `${plain(millis / 86_400_000, decimals)} day`;
}

const SUFFIX: Record<string, string> = {
  percent: "%", celsius: " °C", reqps: " req/s", ops: " ops/s", rps: " reads/s", wps: " writes/s", cps: " c/s", hertz: " Hz", watt: " W",
  currencyUSD: " $", currencyEUR: " €",
};

export function format(value: number | null, unit?: string, decimals?: number | null): string {
  if (value === null || Number.isNaN(value)) return "–";
  switch (unit) {
    case undefined:
    case "":
    case "none":
    case "locale":
      return plain(value, decimals);
    case "short":
      return scaled(value, 1000, SHORT, decimals);
    case "percentunit":
      return `${plain(value * 100, decimals)}%`;
    case "bytes":
      return scaled(value, 1024, IBYTES, decimals);
    case "decbytes":
      return scaled(value, 1000, BYTES, decimals);
    case "Bps":
      return `${scaled(value, 1000, BYTES, decimals)}/s`;
    case "ms":
      return time(value, decimals);
    case "s":
      return time(value * 1000, decimals);
    case "µs":
      return time(value / 1000, decimals);
    case "bool":
      return value ? "True" : "False";
    default:
      if (unit.startsWith("suffix:")) return `${plain(value, decimals)}${unit.slice(7)}`;
      if (unit.startsWith("prefix:")) return `${unit.slice(7)}${plain(value, decimals)}`;
      return `${plain(value, decimals)}${SUFFIX[unit] ?? ` ${unit}`}`;
  }
}

const NAMED: Record<string, string> = {
  green: "#4f8f3a", "dark-green": "#37672a", "light-green": "#8dbd7a", "semi-dark-green": "#44802f", "super-light-green": "#b9dcab",
  red: "#c2404e", "dark-red": "#96232f", "light-red": "#e0848e", "semi-dark-red": "#ad3140", "super-light-red": "#f0b5bb",
  yellow: "#b58a12", "dark-yellow": "#8a680a", "light-yellow": "#d9b84f", "semi-dark-yellow": "#a07b10", "super-light-yellow": "#ecd894",
  orange: "#c4701f", "dark-orange": "#96520f", "light-orange": "#e2a267", "semi-dark-orange": "#ad6117", "super-light-orange": "#f2cba6",
  blue: "#3b6fb5", "dark-blue": "#264f88", "light-blue": "#83a9dc", "semi-dark-blue": "#3161a2", "super-light-blue": "#bad0ee",
  purple: "#7a5ca8", "dark-purple": "#573d82", "light-purple": "#ac94d1", "semi-dark-purple": "#6a4c98", "super-light-purple": "#d2c3e8",
};

/** A colour by its name; `text` and unknown words leave it to the theme. */
export function colour(name: string | undefined): string | undefined {
  if (!name || name === "text" || name === "transparent") return undefined;
  return NAMED[name] ?? (/^(#|rgb)/.test(name) ? name : undefined);
}

/** The steps in numbers: those in percent lie between the least and the most. */
export function steps(defaults: FieldDefaults): Step[] {
  const { thresholds, min = 0, max = 100 } = defaults;
  const all = thresholds?.steps ?? [];
  if (thresholds?.mode !== "percentage") return all;
  return all.map((step) => ({ ...step, value: step.value === null ? null : min + ((max - min) * step.value) / 100 }));
}

/** The colour of the highest step that the value has reached. */
export function thresholdColour(value: number | null, defaults: FieldDefaults): string | undefined {
  let found: string | undefined;
  for (const step of steps(defaults)) {
    if (step.value === null || (value !== null && value >= step.value)) found = step.color;
  }
  return colour(found);
}
