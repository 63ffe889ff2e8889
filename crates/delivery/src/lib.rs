//! Delivery streams, as Firehose describes them: records go in one by one and come out as objects of the lake, in files
//! large enough to be read well, converted to columns where a table says how, exactly once.
//!
//! What comes in: settings ([`S3Destination`]), records put directly, or the name of a stream that is read. What goes out:
//! objects under evaluated prefixes, records that could not be taken as lines under the error prefix, partitions for the
//! catalog, word of new objects. A batch is the records between two places of the source: it is written from the log
//! itself, so nothing is buffered in memory, and after a kill the same places make the same objects.
//!
//! This room must not know a protocol, nor how the log or the lake keep their bytes, nor DataFusion.

mod convert;
mod deliveries;
mod failed;
mod keeper;
mod names;
mod pack;
mod prefix;
mod query;
mod run;
mod settings;
mod source;
mod split;
mod store;

pub use deliveries::{Deliveries, DeliveriesRooms, DeliveryStream, MAX_RECORD, NewDelivery, Totals};
pub use settings::{
    BufferingHints, CloudWatchLoggingOptions, CompressionFormat, Conversion, Deserializer,
    DynamicPartitioning, InputFormat, OutputFormat, Processing, Processor, ProcessorParameter, RetryOptions,
    S3Backup, S3Destination, SchemaConfiguration, Serializer,
};
pub use store::{Encryption, Source};
