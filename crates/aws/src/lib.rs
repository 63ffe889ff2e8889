//! The AWS door: the protocols of S3, STS, Glue, Athena and others on one port, as the SDKs speak them.
//!
//! What comes in: signed HTTP requests. What goes out: calls of the rooms below, and their answers in the words of each
//! protocol. Every request is verified in one place (`signature`), and every operation asks the policy of the key that
//! signed it. This room keeps only what no other knows of (workgroups, named
//! queries, tags: `store`; the logs of users: `logs`). It must never answer what it did not do, or hold more of a body in
//! memory than a fixed piece.

mod analytics;
mod athena;
mod body;
mod door;
mod fault;
mod firehose;
mod front;
mod glue;
mod json;
mod keys;
mod kinesis;
mod logs;
mod page;
mod policy;
mod query;
mod refusal;
mod rights;
mod s3;
mod service;
mod session;
mod signature;
mod store;
mod sts;
mod tags;
mod traced;

pub use door::{Answered, Door, DoorConfig, Rooms};
pub use keys::{Key, KeyRing};
pub use policy::Policy;
pub use rights::Rights;
