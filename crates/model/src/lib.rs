//! The vocabulary of the house: ids, ARNs, lake URIs, the Hive type system, schemas, run states, errors, diagnoses.
//!
//! What comes in is text and plain values; what goes out is typed values and texts for people. Nothing here reads a
//! byte, asks the time, or knows Arrow, tokio or SQL: everything above is rebuilt after this room, so it is small and
//! changes rarely.

mod arn;
mod diagnosis;
mod error;
mod hive;
mod ids;
mod number;
mod run;
mod schema;
mod suggest;
mod uri;

pub use arn::Arn;
pub use diagnosis::{Diagnosis, Place, SourcePlace};
pub use error::{Blame, Error, ErrorKind, Result, Retry};
pub use hive::{HiveType, StructField};
pub use ids::{AccountId, BucketName, EntityName, Region, RunId};
pub use number::short_double;
pub use run::{Outcome, Progress, RunKind, RunState, Unit};
pub use schema::{Column, ColumnChange, Schema};
pub use suggest::{nearest, nearest_hint};
pub use uri::LakeUri;
