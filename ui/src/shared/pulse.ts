/** How fast totals rise: samples of the last minute, as the server tells them, and rates made of them. */

import { useSyncExternalStore } from "react";

export interface Totals {
  name: string;
  open_shards: number;
  records: number;
  bytes: number;
  records_in: number;
  records_out: number;
}

/** What an event `streams` tells; `at` is the server's time. */
export interface Told {
  at: number;
  changed: Totals[];
  names: string[];
}

interface Sample {
  at: number;
  value: number;
  /** What rose before it is not known: nobody looked. */
  isFirst: boolean;
}

/** So many seconds are shown. */
export const SECONDS = 60;
/** The server looks once a second; what has changed after a longer silence changed within about that time. */
const LOOK = 1000;
const SPAN = LOOK * 1.5;
/** The rate of now is the mean of so long. */
const NOW = LOOK * 2;

const samples = new Map<string, Sample[]>();
/** Series that were not followed since their last sample. */
const cuts = new Set<string>();
const totals = new Map<string, Totals>();
const listeners = new Set<() => void>();
let version = 0;
/** How far the server's time is behind this page's, the way of an event included: the least since the connection opened. */
let lag = Number.POSITIVE_INFINITY;

function changed(): void {
  version += 1;
  for (const listener of listeners) listener();
}

/** Adds a total to a series; one that is as it was adds nothing. */
export function add(key: string, at: number, value: number): void {
  const list = samples.get(key) ?? [];
  const last = list.at(-1);
  const isCut = cuts.has(key);
  if (last && !isCut && (last.value === value || last.at >= at)) return;
  cuts.delete(key);
  // A total that falls begins anew: its server or its stream was made anew. So does a time that falls.
  const isAnew = last && (value < last.value || at <= last.at);
  const kept = isAnew ? [] : list.filter((one) => one.at >= at - (SECONDS + 5) * 1000 || one === last);
  samples.set(key, [...kept, { at, value, isFirst: isCut || kept.length === 0 }]);
  changed();
}

/** Takes what an event `streams` tells. Its totals are of the server's time: events may come late and together. */
export function note(told: Told, now: number): void {
  lag = Math.min(lag, now - told.at);
  for (const one of told.changed) {
    totals.set(one.name, one);
    add(`in/${one.name}`, told.at, one.records_in);
    add(`out/${one.name}`, told.at, one.records_out);
  }
  const names = new Set(told.names);
  for (const name of totals.keys()) {
    if (names.has(name)) continue;
    totals.delete(name);
    samples.delete(`in/${name}`);
    samples.delete(`out/${name}`);
  }
  changed();
}

/** Series are not followed for a while: what rises until their next sample is no rate. All of them: the connection broke. */
export function cut(prefix = ""): void {
  if (prefix === "") lag = Number.POSITIVE_INFINITY;
  for (const key of samples.keys()) if (key.startsWith(prefix)) cuts.add(key);
  changed();
}

/** What rose between two times. */
function risen(list: Sample[], from: number, to: number): number {
  let sum = 0;
  for (let at = list.length - 1; at > 0; at -= 1) {
    const [before, one] = [list[at - 1], list[at]];
    if (!before || !one || one.at <= from) break;
    if (one.isFirst) continue;
    // It rose evenly since the sample before, or since a look ago.
    const began = Math.max(before.at, one.at - SPAN);
    const shared = Math.min(one.at, to) - Math.max(began, from);
    if (shared > 0) sum += ((one.value - before.value) * shared) / (one.at - began);
  }
  return sum;
}

/** Up to when a series is known: its last sample, until the next one is overdue. */
function end(key: string, list: Sample[], now: number): number {
  // Totals of streams have the server's time, those of applications the page's.
  const here = key.startsWith("app/") || !Number.isFinite(lag) ? now : now - lag;
  return Math.max(list.at(-1)?.at ?? here, here - SPAN);
}

/** Rates a second for each of the last seconds, the latest last. */
export function rates(key: string, now: number): number[] {
  const list = samples.get(key) ?? [];
  const to = end(key, list, now);
  return Array.from({ length: SECONDS }, (_, second) => {
    const until = to - (SECONDS - 1 - second) * 1000;
    return risen(list, until - 1000, until);
  });
}

/** The rate of the last two seconds; none without a total, or while the series is not followed. */
export function rate(key: string, now: number): number | null {
  const list = samples.get(key) ?? [];
  if (list.length === 0 || cuts.has(key)) return null;
  const to = end(key, list, now);
  const first = list.findLastIndex((one) => one.isFirst);
  const known = list.slice(Math.max(first, 0));
  const span = Math.min(Math.max(to - (known[0]?.at ?? to), LOOK), NOW);
  return (risen(known, to - span, to) * 1000) / span;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The totals of all streams, drawn anew when they change. */
export function useTotals(): Map<string, Totals> {
  useSyncExternalStore(subscribe, () => version);
  return totals;
}

/** Forgets everything: for tests. */
export function forget(): void {
  samples.clear();
  totals.clear();
  cuts.clear();
  lag = Number.POSITIVE_INFINITY;
  changed();
}
