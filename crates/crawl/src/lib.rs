//! Crawling: what lies in the lake becomes tables in the catalog.
//!
//! Bytes of objects come in; what goes out are classifications (format, schema, table facts) and, through them, tables
//! and partitions. It reads no object whole, only what the inference needs; it never changes an object, and never
//! guesses silently: what it does not understand gets a diagnosis that names the object.

pub mod classify;
