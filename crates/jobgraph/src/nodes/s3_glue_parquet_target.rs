//! Parquet files in a folder.

use super::{Kind, Operation, target_options};
use crate::fields::Fields;
use crate::step::FileFormat;

pub(super) const KIND: Kind = Kind::target("S3GlueParquetTarget", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let compressions = &["snappy", "lzo", "gzip", "brotli", "lz4", "uncompressed", "none"];
    if let Some(compression) = fields.text("Compression").filter(|compression| compression.value == "lzo") {
        let error = model::Error::unsupported("lzo cannot be written");
        fields.wrong(&compression.span, error.hint("use snappy, gzip, lz4 or brotli"));
    }
    target_options::at_path(fields, Some(FileFormat::Parquet), compressions)
}
