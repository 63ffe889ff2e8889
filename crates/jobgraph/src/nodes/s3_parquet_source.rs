//! Parquet files.

use super::{Kind, Operation, source_files};
use crate::fields::Fields;
use crate::step::FileFormat;

pub(super) const KIND: Kind = Kind::source("S3ParquetSource", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    Some(Box::new(source_files::read(fields, FileFormat::Parquet)?))
}
