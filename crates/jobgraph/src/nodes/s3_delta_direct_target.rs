//! A Delta Lake table by its folder.

use super::{Kind, Operation, target_options};
use crate::fields::Fields;
use crate::step::FileFormat;
use model::Error;

pub(super) const KIND: Kind = Kind::target("S3DeltaDirectTarget", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let format = fields.choice("Format", &["delta", "parquet"]);
    if let Some(format) = format.filter(|format| format.value != "delta") {
        fields.wrong(&format.span, Error::invalid("the format of a Delta target is `delta`"));
    }
    target_options::at_path(fields, Some(FileFormat::Delta), &["uncompressed", "snappy"])
}
