//! From STORED AS and ROW FORMAT to the class names and properties that describe a table's files.

use super::DdlContext;
use catalog::{SerDe, StorageDescriptor};
use formats::FormatSpec;
use model::{Error, Result};
use sql::ast::{At, CreateTable, Delimited, RowFormat, StoredAs};

/// The classes of a file format.
struct Classes {
    input: &'static str,
    output: &'static str,
    serde: &'static str,
}

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

fn classes(format: &str) -> Option<Classes> {
    Some(match format {
        "TEXTFILE" => Classes { input: TEXT_INPUT, output: TEXT_OUTPUT, serde: LAZY },
        "JSONFILE" => Classes {
            input: TEXT_INPUT,
            output: TEXT_OUTPUT,
            serde: "org.apache.hive.hcatalog.data.JsonSerDe",
        },
        "PARQUET" | "PARQUETFILE" => Classes {
            input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        },
        "ORC" | "ORCFILE" => Classes {
            input: "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
            output: "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
            serde: "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
        },
        "AVRO" => Classes {
            input: "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
            output: "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
            serde: "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
        },
        _ => return None,
    })
}

/// The classes of a format that tables can have and queries can write: PARQUET, ORC, AVRO, JSON, TEXTFILE.
pub(crate) fn storage_classes(format: &str) -> Option<StorageDescriptor> {
    let known = classes(if format == "JSON" { "JSONFILE" } else { format })?;
    let mut storage = StorageDescriptor {
        input_format: Some(known.input.to_owned()),
        output_format: Some(known.output.to_owned()),
        number_of_buckets: Some(-1),
        ..StorageDescriptor::default()
    };
    storage.serde.library = Some(known.serde.to_owned());
    storage.serde.parameters.insert("serialization.format".to_owned(), "1".to_owned());
    Some(storage)
}

/// How a new table's files are laid out, without its columns and location.
pub(super) fn storage(ctx: &DdlContext<'_>, create: &CreateTable) -> Result<StorageDescriptor> {
    let format = match &create.stored_as {
        Some(StoredAs::Format(format)) => format.value.as_str(),
        _ => "TEXTFILE",
    };
    let mut storage =
        storage_classes(format).ok_or_else(|| unreadable(ctx, format, create.stored_as.as_ref()))?;
    if let Some(StoredAs::Classes { input, output }) = &create.stored_as {
        storage.input_format = Some(input.value.clone());
        storage.output_format = Some(output.value.clone());
    }
    match &create.row_format {
        None => {}
        Some(RowFormat::Serde { class, properties }) => {
            storage.serde.library = Some(class.value.clone());
            for property in properties {
                storage.serde.parameters.insert(property.key.value.clone(), property.value.value.clone());
            }
        }
        Some(RowFormat::Delimited(parts)) => delimited(ctx, create, parts, &mut storage.serde)?,
    }
    check_readable(ctx, create, &storage)?;
    Ok(storage)
}

fn unreadable(ctx: &DdlContext<'_>, format: &str, stored_as: Option<&StoredAs>) -> Error {
    let error = Error::unsupported(format!("files of the format {format} cannot be read"))
        .hint("formats are PARQUET, ORC, AVRO, TEXTFILE and JSONFILE");
    match stored_as {
        Some(StoredAs::Format(at)) => error.at(ctx.place(at.span)),
        _ => error,
    }
}

/// Only text has characters between its fields.
fn delimited(ctx: &DdlContext<'_>, create: &CreateTable, parts: &Delimited, serde: &mut SerDe) -> Result<()> {
    if let Some(StoredAs::Format(format)) = &create.stored_as
        && format.value != "TEXTFILE"
    {
        let message = format!("ROW FORMAT DELIMITED does not go with STORED AS {}", format.value);
        return Err(ctx
            .invalid(format.span, message)
            .hint("leave ROW FORMAT out, or write STORED AS TEXTFILE"));
    }
    if let Some(lines) = &parts.lines
        && lines.value != "\n"
    {
        let error = ctx.invalid(lines.span, "lines can only be terminated by a line break");
        return Err(error.hint("write LINES TERMINATED BY '\\n', or leave it out"));
    }
    let mut set = |key: &str, value: &Option<At<String>>| {
        if let Some(value) = value {
            serde.parameters.insert(key.to_owned(), value.value.clone());
        }
    };
    set("field.delim", &parts.fields);
    set("serialization.format", &parts.fields);
    set("escape.delim", &parts.escape);
    set("collection.delim", &parts.items);
    set("mapkey.delim", &parts.keys);
    set("line.delim", &parts.lines);
    set("serialization.null.format", &parts.null);
    Ok(())
}

/// What cannot be read later is refused now, where the statement can still be changed.
fn check_readable(ctx: &DdlContext<'_>, create: &CreateTable, storage: &StorageDescriptor) -> Result<()> {
    fn pairs(parameters: &catalog::Parameters) -> impl Iterator<Item = (&str, &str)> {
        parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
    let table = create.properties.iter().map(|p| (p.key.value.as_str(), p.value.value.as_str()));
    let spec = FormatSpec::from_table(
        storage.input_format.as_deref(),
        storage.serde.library.as_deref(),
        pairs(&storage.serde.parameters),
        table,
    );
    let span = match (&create.row_format, &create.stored_as) {
        (Some(RowFormat::Serde { class, .. }), _) => class.span,
        (_, Some(StoredAs::Classes { input, .. })) => input.span,
        (_, Some(StoredAs::Format(format))) => format.span,
        _ => create.name.span(),
    };
    spec.map(|_| ()).map_err(|error| ctx.located(error, span))
}
