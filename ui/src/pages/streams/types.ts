/** What the server answers of streams and applications (crates streams, apps and the binary's operations). */

import type { Diagnosis, Run } from "../../shared/types";

export interface StreamShown {
  name: string;
  arn: string;
  open_shards: number;
  mode: string;
  retention_hours: number;
  created: string;
}

export interface Shard {
  id: string;
  parent: string | null;
  adjacent_parent: string | null;
  first_hash: string;
  last_hash: string;
  created: string;
  closed: string | null;
  records: number;
  bytes: number;
  records_in: number;
  records_out: number;
  last_arrival: string | null;
}

export interface StreamDescription {
  stream: StreamShown;
  shards: Shard[];
  consumers: string[];
}

export type LookFrom = "trim_horizon" | "latest" | { at_timestamp: string } | { at_sequence_number: string } | { after_sequence_number: string } | { place: string };

export interface ShardRecord {
  sequence_number: string;
  arrived: string;
  partition_key: string;
  data: string;
  is_text: boolean;
  bytes: number;
}

export interface ShardRead {
  records: ShardRecord[];
  next: string | null;
  behind_millis: number;
  children: string[];
}

export interface Application {
  name: string;
  source_name: string;
  script: string;
  version: number;
  status: "ready" | "running";
  run: string | null;
  created: string;
  modified: string;
}

export interface WatchedApplication {
  application: Application;
  run: Run | null;
}

export interface FlowStep {
  id: string;
  kind: "source" | "filter" | "select" | "windows" | "aggregate" | "union" | "join" | "target";
  title: string;
  detail: string;
  inputs: string[];
}

export interface Snapshot {
  name: string;
  number: number;
  taken: string;
  counters: Record<string, number>;
}

export interface ApplicationDescription extends WatchedApplication {
  flow: FlowStep[];
  mistake: Diagnosis | null;
  snapshots: Snapshot[];
}
