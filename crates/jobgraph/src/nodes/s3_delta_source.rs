//! A Delta Lake table by its folder.

use super::{Kind, Operation, source_files};
use crate::fields::Fields;
use crate::step::FileFormat;

pub(super) const KIND: Kind = Kind::source("S3DeltaSource", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.ignore(&["AdditionalDeltaOptions"]);
    Some(Box::new(source_files::read(fields, FileFormat::Delta)?))
}
