//! The lake: objects by `s3://` address, on the local disk or on any S3 server, with one behaviour.
//!
//! What comes in: addresses, bytes and conditions. What goes out: bytes, facts about objects, listings in S3's order.
//! Writes are there whole or not at all, and many objects can be made to appear together ([`Commit`]).
//! This room must never know what the bytes mean (formats, tables, runs), never let a key or link lead out of its
//! bucket's folder, and never acknowledge what a power failure could take back.

mod adaptor;
mod checksum;
mod commit;
mod config;
mod gate;
mod journal;
mod lake;
mod local;
mod object;
mod private;
mod ranges;
mod recovery;
mod s3;
mod store;
mod uploads;
mod versions;
mod writer;

pub use checksum::Checksums;
pub use commit::{Commit, CommitOptions, Published};
pub use config::{Backend, LakeConfig, S3Endpoint};
pub use lake::Lake;
pub use object::{
    BucketInfo, CompletedPart, Deleted, GetOptions, GetRange, ListOptions, ListPage, MultipartInfo,
    ObjectInfo, ObjectRead, PartInfo, PutMode, PutOptions, PutResult, SweepReport,
};
pub use ranges::ObjectReader;
pub use uploads::PartWriter;
pub use versions::{
    NULL as NULL_VERSION, ObjectVersion, VersionOptions, VersionPage, Versioning, is_version_id,
};
pub use writer::ObjectWriter;
