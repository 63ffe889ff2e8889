//! Files in a folder, in a format of choice.

use super::{Kind, Operation, target_options};
use crate::fields::Fields;
use crate::step::FileFormat;
use model::Error;

pub(super) const KIND: Kind = Kind::target("S3DirectTarget", read);

const FORMATS: &[&str] =
    &["json", "csv", "avro", "orc", "parquet", "hudi", "delta", "iceberg", "hyper", "xml"];
const TEXT_COMPRESSIONS: &[&str] = &["none", "uncompressed", "gzip", "bzip2", "snappy", "lz4", "zstd"];

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let format = fields.need_choice("Format", FORMATS);
    let (written, compressions): (Option<FileFormat>, &[&str]) =
        match format.as_ref().map(|format| format.value) {
            Some("json") => (Some(FileFormat::Json { json_path: None, multiline: false }), TEXT_COMPRESSIONS),
            Some("csv") => (Some(target_options::csv()), TEXT_COMPRESSIONS),
            Some("avro") => (Some(FileFormat::Avro), &["none", "uncompressed", "snappy", "bzip2", "zstd"]),
            Some("orc") => (Some(FileFormat::Orc), &["none", "uncompressed", "snappy", "zstd", "lz4"]),
            Some("parquet") => (
                Some(FileFormat::Parquet),
                &["snappy", "gzip", "brotli", "lz4", "zstd", "uncompressed", "none"],
            ),
            Some("delta") => (Some(FileFormat::Delta), &["snappy", "uncompressed"]),
            _ => (None, TEXT_COMPRESSIONS),
        };
    if let (Some(format), None) = (&format, &written) {
        let error = Error::unsupported(format!("{} files are not written", format.value));
        fields.wrong(&format.span, error.hint("write json, csv, avro, orc, parquet or delta"));
    }
    target_options::at_path(fields, written, compressions)
}
