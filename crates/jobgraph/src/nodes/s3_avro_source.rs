//! Avro files. Glue's API has no such node (only its scripts read Avro); the settings are S3ParquetSource's.

use super::{Kind, Operation, source_files};
use crate::fields::Fields;
use crate::step::FileFormat;

pub(super) const KIND: Kind = Kind::source("S3AvroSource", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    Some(Box::new(source_files::read(fields, FileFormat::Avro)?))
}
