/** What the server answers: the same words as its own types (crates model, state, catalog, jobs). */

export interface SourcePlace {
  in: "source";
  file: string;
  line: number;
  column: number;
  length: number;
  excerpt: string;
}

export interface ObjectPlace {
  in: "object";
  uri: string;
  row?: number;
  column?: string;
}

export interface Diagnosis {
  kind: string;
  what: string;
  place?: SourcePlace | ObjectPlace;
  why?: string;
  hints?: string[];
}

export interface Finding {
  diagnosis: Diagnosis;
}

export type RunState = "waiting" | "running" | "stopping" | "succeeded" | "failed" | "stopped" | "timed_out";

export interface Progress {
  done: number;
  total: number | null;
  unit: "bytes" | "rows" | "files" | "steps";
}

export interface Run {
  id: string;
  kind: string;
  name: string;
  owner: string;
  state: RunState;
  attempt: number;
  retries_left: number;
  arguments: Record<string, unknown> | null;
  node: string;
  created: string;
  started: string | null;
  ended: string | null;
  progress: Progress | null;
  counters: Record<string, number>;
  outcome: { result: unknown } | { diagnosis: Diagnosis } | null;
  revision: number;
}

export interface LogLine {
  seq: number;
  at: string;
  level: "debug" | "info" | "warn" | "error";
  message: string;
}

export interface Column {
  name: string;
  type: string;
  comment?: string;
}

export type Cell = string | null;

export interface Rows {
  columns: Column[];
  rows: Cell[][];
  more: boolean;
  is_text: boolean;
  millis?: number;
  bytes_read?: number;
  format?: string;
}

export interface ResultPage {
  columns: Column[];
  rows: Cell[][];
  from: number;
  total: number;
  is_text: boolean;
}

export interface TableSummary {
  database: string;
  table: string;
  format: string;
  columns: number;
  partition_keys: string[];
  partitions: number | null;
  location: string | null;
  updated: string;
}

export type ColumnChange =
  | { change: "added" | "removed"; name: string; type: string }
  | { change: "retyped"; name: string; from: string; to: string };

export interface TableDescription {
  entry: {
    database: string;
    version: number;
    created: string;
    updated: string;
    table: {
      name: string;
      description?: string;
      owner?: string;
      table_type?: string;
      parameters?: Record<string, string>;
      partition_keys?: Column[];
      view_original_text?: string;
      storage: {
        columns: Column[];
        location?: string;
        input_format?: string;
        serde?: { library?: string; parameters?: Record<string, string> };
        parameters?: Record<string, string>;
      };
    };
  };
  format: string;
  partitions: number | null;
  versions: { version: number; at: string; changes: ColumnChange[] }[];
}

export interface PartitionList {
  keys: string[];
  more: boolean;
  partitions: { values: string[]; storage: { location?: string }; created?: string }[];
}

export interface Bucket {
  name: string;
  created: string | null;
}

export interface LakeObject {
  key: string;
  name: string;
  size: number;
  modified: string;
}

export interface Folder {
  folders: string[];
  objects: LakeObject[];
  next: string | null;
}

export interface StoredJob {
  name: string;
  source_name: string;
  definition: string;
  created: string;
  modified: string;
}

export interface DashboardEntry {
  name: string;
  title: string;
  tags: string[];
  panels: number;
  uri: string;
  error?: string;
}

export interface SessionInfo {
  needs_login: boolean;
  user: string | null;
  version: string;
}

export function isFinal(state: RunState): boolean {
  return state === "succeeded" || state === "failed" || state === "stopped" || state === "timed_out";
}

export function diagnosisOf(run: Run): Diagnosis | null {
  return run.outcome && "diagnosis" in run.outcome ? run.outcome.diagnosis : null;
}

export function resultOf<T>(run: Run): T | null {
  return run.outcome && "result" in run.outcome ? (run.outcome.result as T) : null;
}
