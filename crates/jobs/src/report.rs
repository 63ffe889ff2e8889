//! What a run answers.

use engine::{FlowPreview, RejectedNode};
use model::Diagnosis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account of a job's run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct JobReport {
    /// The job.
    pub job: String,
    /// How long it took.
    pub seconds: f64,
    /// Processor time of the process meanwhile.
    pub cpu_seconds: f64,
    /// The most memory that the process had.
    pub peak_memory: u64,
    /// The most memory that rows took.
    pub peak_rows_memory: u64,
    /// Bytes read from storage.
    pub bytes_read: u64,
    /// Files read.
    pub files_read: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Files written.
    pub files_written: u64,
    /// Rows that targets got.
    pub rows_written: u64,
    /// Each node, in the order in which they ran.
    pub nodes: Vec<NodeReport>,
    /// Each target.
    pub targets: Vec<TargetReport>,
    /// By node: what was rejected.
    pub rejects: BTreeMap<String, RejectedNode>,
    /// Files that the bookmark kept from being read again, and files left for later runs.
    pub skipped_files: u64,
    /// Files left for later runs by bounds.
    pub files_left: u64,
    /// What the run would cost on AWS.
    pub cost: Option<JobCost>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}

impl JobReport {
    /// How many rows were rejected.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().map(|node| node.rows).sum()
    }
}

/// A node's rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Rows of its inputs.
    pub rows_in: u64,
    /// Rows that came out.
    pub rows_out: u64,
    /// Rows that were rejected.
    pub rejected: u64,
}

/// What a target wrote.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TargetReport {
    /// The node.
    pub node: String,
    /// The folder.
    pub location: String,
    /// The table, if the catalog has one.
    pub table: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Files.
    pub files: u64,
    /// Partitions with new files.
    pub partitions: u64,
}

/// What a run would cost on AWS.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct JobCost {
    /// In dollars.
    pub dollars: f64,
    /// At least a minute is billed.
    pub billed_seconds: f64,
    /// The workers' type.
    pub worker_type: String,
    /// How many workers.
    pub workers: u64,
    /// The price it was reckoned with.
    pub dpu_hour: f64,
}

/// A node's first rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodePreview {
    /// The node's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The rows.
    pub rows: Option<FlowPreview>,
    /// Why there are none.
    pub error: Option<Diagnosis>,
}
