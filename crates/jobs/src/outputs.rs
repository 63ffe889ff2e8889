//! A graph's targets as writes of the engine.

use engine::{FlowDestination, FlowMode, FlowWrite};
use formats::{CsvSpec, JsonSpec, WriteFormat, WriteSpec};
use jobgraph::{Destination, FileFormat, SpigotStep, TargetSpec, WriteMode};
use model::{Error, Result};

pub(crate) fn write_of(target: &TargetSpec, from: String) -> Result<FlowWrite> {
    let is_delta = target.format == Some(FileFormat::Delta);
    let destination = match &target.destination {
        Destination::Path(path) if is_delta => FlowDestination::Delta(path.clone()),
        Destination::Path(path) => FlowDestination::Folder(path.clone()),
        Destination::Table { database, table } => {
            FlowDestination::Table { database: database.clone(), table: table.clone() }
        }
    };
    let format = match (&target.format, &destination) {
        (_, FlowDestination::Table { .. }) => None,
        (_, FlowDestination::Delta(_)) => {
            Some(write_format(&FileFormat::Parquet, target.compression.as_deref())?)
        }
        (Some(format), _) => Some(write_format(format, target.compression.as_deref())?),
        (None, _) => Some(write_format(&FileFormat::Parquet, target.compression.as_deref())?),
    };
    Ok(FlowWrite {
        from,
        destination,
        format,
        partition_by: target.partition_keys.clone(),
        mode: match &target.mode {
            WriteMode::Append => FlowMode::Append,
            WriteMode::Overwrite => FlowMode::Overwrite,
            WriteMode::OverwritePartitions => FlowMode::OverwritePartitions,
            WriteMode::Merge { keys } => FlowMode::Merge(keys.clone()),
        },
        catalog: target.update.as_ref().map(|u| (u.database.clone(), u.table.clone(), u.add_columns)),
        max_file_bytes: target.max_file_bytes,
        files: target.files,
        sample: None,
    })
}

/// The sample of a spigot, as JSON lines.
pub(crate) fn spigot(id: &str, spigot: &SpigotStep) -> FlowWrite {
    FlowWrite {
        from: id.to_owned(),
        destination: FlowDestination::Folder(spigot.path.clone()),
        format: Some(("JSON".to_owned(), WriteSpec::new(WriteFormat::Json(JsonSpec::default())))),
        partition_by: Vec::new(),
        mode: FlowMode::Append,
        catalog: None,
        max_file_bytes: None,
        files: None,
        sample: Some((spigot.top, spigot.probability)),
    }
}

/// The format's name for the catalog, and how its files are written.
fn write_format(format: &FileFormat, compression: Option<&str>) -> Result<(String, WriteSpec)> {
    let (name, written, usual) = match format {
        FileFormat::Csv(csv) => {
            let byte = |c: char| {
                u8::try_from(u32::from(c)).map_err(|_| {
                    Error::unsupported(format!("`{c}` is more than one byte, which CSV cannot have"))
                })
            };
            let spec = CsvSpec {
                separator: byte(csv.separator)?,
                quote: csv.quote.map(byte).transpose()?,
                ..CsvSpec::default()
            };
            ("CSV", WriteFormat::Csv { spec, header: csv.header, quote_all: false }, None)
        }
        FileFormat::Json { .. } => ("JSON", WriteFormat::Json(JsonSpec::default()), None),
        // What Glue's writer does where nothing is said.
        FileFormat::Parquet => ("PARQUET", WriteFormat::Parquet, Some("snappy")),
        FileFormat::Orc => ("ORC", WriteFormat::Orc, Some("snappy")),
        FileFormat::Avro => ("AVRO", WriteFormat::Avro, None),
        FileFormat::Text | FileFormat::Delta => {
            return Err(Error::unsupported(format!(
                "files of the format {} cannot be a target",
                format.name()
            ))
            .hint("formats are csv, json, parquet, orc and avro"));
        }
    };
    let compression = compression.or(usual).map(|name| match name.to_ascii_lowercase().as_str() {
        "uncompressed" => "none".to_owned(),
        other => other.to_owned(),
    });
    Ok((name.to_owned(), WriteSpec { compression, ..WriteSpec::new(written) }))
}
