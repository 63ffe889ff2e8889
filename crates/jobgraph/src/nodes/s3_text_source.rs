//! Lines of text, as the column `line`, with the file as `$path`. Glue's API has no such node.

use super::{Kind, Operation, source_files};
use crate::fields::Fields;
use crate::step::FileFormat;

pub(super) const KIND: Kind = Kind::source("S3TextSource", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    Some(Box::new(source_files::read(fields, FileFormat::Text)?))
}
