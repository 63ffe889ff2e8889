//! JSON files: one value a line, or documents.

use super::{Kind, Operation, source_files};
use crate::fields::Fields;
use crate::step::FileFormat;

pub(super) const KIND: Kind = Kind::source("S3JsonSource", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let json_path = fields.text("JsonPath").map(|path| path.value).filter(|path| !path.is_empty());
    let multiline = fields.flag("Multiline").unwrap_or(false);
    Some(Box::new(source_files::read(fields, FileFormat::Json { json_path, multiline })?))
}
