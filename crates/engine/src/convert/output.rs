//! What is written: the format and compression, told or read from the name; the columns of partitions.

use formats::{Compression, CsvSpec, FormatSpec, JsonSpec, WriteFormat, WriteSpec};
use model::{Error, Place, Result, nearest_hint};
use plan::OutputColumn;
use scan::FilePath;
use serde::{Deserialize, Serialize};

/// The formats that can be written, by all of their names.
const FORMATS: [(&str, &str); 12] = [
    ("csv", "csv"),
    ("tsv", "tsv"),
    ("json", "json"),
    ("jsonl", "json"),
    ("ndjson", "json"),
    ("parquet", "parquet"),
    ("pq", "parquet"),
    ("orc", "orc"),
    ("avro", "avro"),
    ("arrow", "arrow"),
    ("feather", "arrow"),
    ("ipc", "arrow"),
];

/// What to write, and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConvertOutput {
    /// A file or a folder. A path must be absolute: the server may stand in another folder.
    pub at: FilePath,
    /// The format, or none to tell it by the name's ending.
    pub format: Option<String>,
    /// The compression, or none to tell it by the name's ending.
    pub compression: Option<String>,
    /// These columns name folders.
    pub partition_by: Vec<String>,
    /// Whether the first line of CSV has the columns' names.
    pub header: bool,
    /// Between the fields of CSV.
    pub delimiter: Option<char>,
    /// A file of a folder is closed and another begun once it has about so many bytes.
    pub max_file_bytes: Option<u64>,
    /// Whether what is there is replaced.
    pub overwrite: bool,
}

impl ConvertOutput {
    /// The last segment of the name.
    pub(super) fn name(&self) -> String {
        match &self.at {
            FilePath::Lake(uri) => uri.name().to_owned(),
            FilePath::Disk(path) => {
                path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            }
        }
    }

    /// The compression that the name's ending says, and the name without it.
    fn unpacked(&self) -> (String, Option<Compression>) {
        let name = self.name();
        if let Some((stem, ending)) = name.rsplit_once('.')
            && let Ok(compression) = Compression::from_name(ending)
            && compression.extension().is_some()
        {
            return (stem.to_owned(), Some(compression));
        }
        (name, None)
    }

    /// The format that the name's ending says.
    fn named_format(&self) -> Option<&'static str> {
        let (name, _) = self.unpacked();
        let (_, ending) = name.rsplit_once('.')?;
        FORMATS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)).map(|(_, format)| *format)
    }

    /// The format's name.
    pub(super) fn format(&self) -> Result<&'static str> {
        match &self.format {
            Some(given) => {
                let found = FORMATS.iter().find(|(known, _)| known.eq_ignore_ascii_case(given));
                found.map(|(_, format)| *format).ok_or_else(|| {
                    Error::unsupported(format!("files of the format `{given}` cannot be written"))
                        .hint(nearest_hint(given, FORMATS.iter().map(|(known, _)| *known)))
                })
            }
            None => self.named_format().ok_or_else(|| {
                Error::invalid("the output's name does not say its format")
                    .at(Place::object(&self.at))
                    .hint("add --to FORMAT: csv, tsv, json, parquet, orc, avro or arrow")
            }),
        }
    }

    /// Whether all goes into one file of that name, going by what is asked for.
    pub(super) fn says_file(&self) -> bool {
        let is_folder = match &self.at {
            FilePath::Lake(uri) => uri.key().is_empty() || uri.key().ends_with('/'),
            FilePath::Disk(path) => path.as_os_str().to_string_lossy().ends_with('/'),
        };
        !is_folder
            && self.partition_by.is_empty()
            && self.max_file_bytes.is_none()
            && self.named_format().is_some()
    }

    /// How the files are written.
    pub(super) fn write_spec(&self) -> Result<WriteSpec> {
        let name = self.format()?;
        let separator = match self.delimiter {
            Some(c) if matches!(name, "csv" | "tsv") => u8::try_from(u32::from(c)).map_err(|_| {
                Error::unsupported(format!("the output's delimiter `{c}` is more than one byte"))
            })?,
            Some(_) => return Err(Error::invalid(format!("files of the format {name} have no delimiter"))),
            None if name == "tsv" => b'\t',
            None => b',',
        };
        let format = match name {
            "csv" | "tsv" => WriteFormat::Csv {
                spec: CsvSpec { separator, ..CsvSpec::default() },
                header: self.header,
                quote_all: false,
            },
            "json" => WriteFormat::Json(JsonSpec { write_nulls: true, ..JsonSpec::default() }),
            "orc" => WriteFormat::Orc,
            "avro" => WriteFormat::Avro,
            "arrow" => WriteFormat::Arrow,
            _ => WriteFormat::Parquet,
        };
        let mut spec = WriteSpec::new(format);
        spec.compression = self.compression.as_ref().map(|name| name.to_lowercase());
        self.check_compression(&mut spec, name)?;
        Ok(spec)
    }

    fn check_compression(&self, spec: &mut WriteSpec, format: &str) -> Result<()> {
        let is_text = FormatSpec::from_name(format).is_ok_and(|spec| spec.is_text());
        let (_, named) = if self.says_file() { self.unpacked() } else { (String::new(), None) };
        let Some(named) = named else { return Ok(()) };
        let ending = named.extension().unwrap_or_default();
        if !is_text {
            return Err(Error::invalid(format!(
                "files of the format {format} are not compressed as a whole"
            ))
            .at(Place::object(&self.at))
            .why(format!("the name ends with `.{ending}`, but {format} compresses what is inside of a file"))
            .hint(format!("leave the ending out, and say --compression {ending}")));
        }
        match &spec.compression {
            Some(given) if Compression::from_name(given)? != named => {
                Err(Error::invalid(format!("the compression is {given}, but the name ends with `.{ending}`"))
                    .at(Place::object(&self.at)))
            }
            _ => {
                spec.compression = Some(ending.to_owned());
                Ok(())
            }
        }
    }

    /// The columns that name folders, by their places.
    pub(super) fn partition_columns(&self, columns: &[OutputColumn]) -> Result<Vec<usize>> {
        let mut found = Vec::with_capacity(self.partition_by.len());
        for name in &self.partition_by {
            let lower = name.to_lowercase();
            let at = columns.iter().position(|column| column.name == lower).ok_or_else(|| {
                Error::not_found(format!("there is no column `{name}` to partition by"))
                    .hint(nearest_hint(&lower, columns.iter().map(|column| column.name.as_str())))
            })?;
            if found.contains(&at) {
                return Err(Error::invalid(format!("`{name}` is named twice as a partition column")));
            }
            found.push(at);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(at: &str) -> ConvertOutput {
        ConvertOutput {
            at: at.parse().unwrap(),
            format: None,
            compression: None,
            partition_by: Vec::new(),
            header: true,
            delimiter: None,
            max_file_bytes: None,
            overwrite: false,
        }
    }

    #[test]
    fn names_say_format_and_compression() {
        for (name, format, compression) in [
            ("/x/a.csv", "csv", None),
            ("/x/a.b.TSV.gz", "tsv", Some("gz")),
            ("s3://abc/a.jsonl.zst", "json", Some("zst")),
            ("a.feather", "arrow", None),
        ] {
            let output = output(name);
            assert_eq!(output.format().unwrap(), format, "{name}");
            assert_eq!(output.write_spec().unwrap().compression.as_deref(), compression, "{name}");
            assert!(output.says_file(), "{name}");
        }
        for name in ["/x/a", "s3://abc/a.b/", "/x/.gz"] {
            assert!(output(name).format().is_err() && !output(name).says_file(), "{name}");
        }
        assert!(output("/x/a.parquet.gz").write_spec().unwrap_err().to_string().contains("as a whole"));
        let clash = ConvertOutput { compression: Some("zstd".into()), ..output("/x/a.csv.gz") };
        assert!(clash.write_spec().unwrap_err().to_string().contains("ends with `.gz`"));
        let folder = ConvertOutput { partition_by: vec!["k".into()], ..output("/x/a.parquet") };
        assert!(!folder.says_file());
    }
}
