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

interface Sample {
  at: number;
  value: number;
}

/** So many seconds are shown. */
export const SECONDS = 60;
/** The server looks once a second; what has changed after a longer silence changed within about that time. */
const LOOK = 1000;

const samples = new Map<string, Sample[]>();
const totals = new Map<string, Totals>();
const listeners = new Set<() => void>();
let version = 0;

function changed(): void {
  version += 1;
  for (const listener of listeners) listener();
}

/** Adds a total to a series; one that is as it was adds nothing. */
export function add(key: string, at: number, value: number): void {
  const list = samples.get(key) ?? [];
  const last = list.at(-1);
  if (last && (last.value === value || last.at >= at)) return;
  // A total that falls begins anew: its server or its stream was made anew.
  const kept = last && value < last.value ? [] : list.filter((one) => one.at >= at - (SECONDS + 5) * 1000 || one === last);
  samples.set(key, [...kept, { at, value }]);
  changed();
}

/** Takes what an event `streams` tells. */
export function note(told: { changed: Totals[]; names: string[] }, at: number): void {
  for (const one of told.changed) {
    totals.set(one.name, one);
    add(`in/${one.name}`, at, one.records_in);
    add(`out/${one.name}`, at, one.records_out);
  }
  for (const name of totals.keys()) {
    if (!told.names.includes(name)) totals.delete(name);
  }
  changed();
}

/** Rates a second for each of the last seconds, the latest last. */
export function rates(key: string, now: number): number[] {
  const list = samples.get(key) ?? [];
  const result = new Array<number>(SECONDS).fill(0);
  for (let at = 1; at < list.length; at += 1) {
    const [before, one] = [list[at - 1], list[at]];
    if (!before || !one) continue;
    const span = Math.min(one.at - before.at, LOOK * 1.5);
    const rate = ((one.value - before.value) * 1000) / Math.max(span, 1);
    // A sample stands for the seconds since the one before.
    for (let second = Math.floor((now - one.at) / 1000); second <= Math.floor((now - one.at + span - 1) / 1000); second += 1) {
      if (second >= 0 && second < SECONDS) result[SECONDS - 1 - second] = rate;
    }
  }
  return result;
}

/** The rate of the last few seconds. */
export function rate(key: string, now: number): number {
  return Math.max(...rates(key, now).slice(-2));
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
  changed();
}
