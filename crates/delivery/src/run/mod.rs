//! A delivery stream at work: batches are gathered, written, published and settled, one after the other.

mod batch;
mod driver;
mod partitions;
mod settle;
mod work;

pub(crate) use driver::{Control, Driver, ROOM, is_missing, stream_of};
