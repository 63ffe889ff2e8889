//! Formats by the names that statements and jobs use.

use super::{AvroSpec, CsvSpec, DelimitedSpec, Format, FormatSpec, JsonSpec};
use model::{Error, Result, nearest_hint};

const NAMES: [&str; 9] = ["csv", "tsv", "textfile", "json", "access-log", "parquet", "orc", "avro", "ion"];

impl FormatSpec {
    /// The format of that name with its usual options: `csv`, `tsv`, `textfile`, `json`, `access-log`, `parquet`,
    /// `orc`, `avro`.
    pub fn from_name(name: &str) -> Result<FormatSpec> {
        let lower = name.to_ascii_lowercase();
        Ok(FormatSpec::new(match lower.as_str() {
            "csv" => Format::Csv(CsvSpec::default()),
            "tsv" => Format::Csv(CsvSpec { separator: b'\t', ..CsvSpec::default() }),
            "textfile" | "text" => Format::Delimited(DelimitedSpec::default()),
            "json" | "jsonl" | "ndjson" => Format::Json(JsonSpec::default()),
            "access-log" => Format::AccessLog,
            "parquet" => Format::Parquet,
            "orc" => Format::Orc,
            "avro" => Format::Avro(AvroSpec::default()),
            "ion" | "xml" | "sequencefile" | "rcfile" => {
                return Err(Error::unsupported(format!("files of the format `{lower}` are not supported"))
                    .hint("supported are csv, tsv, textfile, json, access-log, parquet, orc and avro"));
            }
            _ => {
                return Err(Error::invalid(format!("there is no file format `{name}`"))
                    .hint(nearest_hint(&lower, NAMES)));
            }
        }))
    }
}
