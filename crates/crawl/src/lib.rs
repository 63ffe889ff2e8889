//! Crawling: what lies in the lake becomes tables in the catalog.
//!
//! Bytes of objects come in; what goes out are classifications (format, schema, table facts) and, through them, tables
//! and partitions. It reads no object whole, only what the inference needs; it never changes an object, and never
//! guesses silently: what it does not understand gets a diagnosis that names the object.

mod apply;
pub mod classify;
mod crawl;
pub mod crawler;
mod crawlers;
mod events;
mod glob;
mod inventory;
mod naming;
mod plan;
mod reach;
mod report;
mod sampling;
mod store;
mod survey;

pub use crawler::{Crawler, DeleteBehavior, Grouping, Recrawl, SchemaChangePolicy, Target, UpdateBehavior};
pub use crawlers::{CrawlSpec, Crawlers, ONCE, RUN_KIND};
pub use glob::{Exclusions, Glob};
pub use report::{CrawlReport, PartitionCounts, TableChange, TableSummary};
pub use store::Stored;
