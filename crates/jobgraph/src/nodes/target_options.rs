//! What all targets share: partition keys, the catalog's upkeep, and our own `AdditionalOptions`: `writeMode`
//! (`append`, `overwrite`, `overwrite_partitions`, for Delta also `merge` with `mergeKeys`) and `maxFileSize`
//! (`128 MB`).

use super::{Context, Operation};
use crate::columns::same_name;
use crate::fields::Fields;
use crate::script::{Script, py};
use crate::step::{CatalogUpdate, CsvFormat, Destination, FileFormat, Step, TargetSpec, WriteMode};
use crate::text::{Placed, Span};
use model::{Error, LakeUri};

/// A target with its settings.
#[derive(Debug)]
pub(super) struct Target {
    destination: Destination,
    place: Span,
    format: Option<FileFormat>,
    compression: Option<String>,
    partition_keys: Vec<Placed<String>>,
    update: Option<CatalogUpdate>,
    mode: WriteMode,
    merge_keys: Vec<Placed<String>>,
    max_file_bytes: Option<u64>,
    files: Option<u32>,
    /// Whether Glue's script writes it with Spark's Delta writer.
    delta: bool,
}

/// `Path`, and the table that `SchemaChangePolicy` names.
pub(super) fn at_path(
    fields: &Fields<'_>,
    format: Option<FileFormat>,
    compressions: &[&'static str],
) -> Option<Box<dyn Operation>> {
    let path = fields.need_text("Path");
    let uri = path.as_ref().and_then(|path| fields.uri(path));
    let update = fields.map("SchemaChangePolicy", update_of_path).flatten();
    let files = fields.number("NumberTargetPartitions").map(|n| u32::try_from(n.value).unwrap_or(u32::MAX));
    let compression = fields.choice("Compression", compressions).map(|c| c.value.to_owned());
    let delta = format == Some(FileFormat::Delta);
    let uri: Option<(LakeUri, Span)> = uri.zip(path.map(|path| path.span));
    rest(fields, uri.map(|(uri, span)| (Destination::Path(uri), span)), delta, move |target| {
        target.format = format;
        target.compression = compression;
        target.update = update;
        // Glue writes 0 where nothing is said.
        target.files = files.filter(|files| *files > 0);
    })
}

/// `Database` and `Table`.
pub(super) fn at_table(fields: &Fields<'_>, delta: bool, has_policy: bool) -> Option<Box<dyn Operation>> {
    let (database, table) = (fields.need_text("Database"), fields.need_text("Table"));
    let policy = match has_policy {
        true => fields.map("SchemaChangePolicy", policy).flatten(),
        false => None,
    };
    let destination = database.zip(table).map(|(database, table)| {
        (Destination::Table { database: database.value, table: table.value }, table.span)
    });
    let update =
        destination.as_ref().zip(policy).and_then(|((destination, _), add_columns)| match destination {
            Destination::Table { database, table } => {
                Some(CatalogUpdate { database: database.clone(), table: table.clone(), add_columns })
            }
            Destination::Path(_) => None,
        });
    rest(fields, destination, delta, move |target| target.update = update)
}

fn rest(
    fields: &Fields<'_>,
    destination: Option<(Destination, Span)>,
    delta: bool,
    finish: impl FnOnce(&mut Target),
) -> Option<Box<dyn Operation>> {
    let partition_keys = fields.plain_columns("PartitionKeys");
    let options = fields.map("AdditionalOptions", |options| {
        let mode = mode(options, delta);
        let merge_keys = options.names("mergeKeys");
        if mode == "merge" && merge_keys.is_empty() {
            let error = Error::invalid("a merge needs `mergeKeys`, and there are none");
            options
                .wrong(&options.span, error.hint("name the columns that tell rows apart: `mergeKeys: [id]`"));
        } else if mode != "merge" && !merge_keys.is_empty() {
            let error = Error::invalid(format!("`mergeKeys` have no meaning in write mode {mode}"));
            options.wrong(&options.span, error.hint("say `writeMode: merge`"));
        }
        (mode, merge_keys, max_file_size(options))
    });
    fields.ignore(&["AutoDataQuality", "OutputSchemas"]);
    let (mode, merge_keys, max_file_bytes) = options.unwrap_or(("append", Vec::new(), None));
    if mode == "overwrite_partitions"
        && partition_keys.is_empty()
        && matches!(destination, Some((Destination::Path(_), _)))
    {
        let error = Error::invalid("`overwrite_partitions` without partition keys");
        fields.wrong(&fields.span, error.hint("name `PartitionKeys`, or say `writeMode: overwrite`"));
    }
    fields.is_good().then_some(())?;
    let (destination, place) = destination?;
    let keys: Vec<String> = merge_keys.iter().map(|key| key.value.clone()).collect();
    let mode = match mode {
        "overwrite" => WriteMode::Overwrite,
        "overwrite_partitions" => WriteMode::OverwritePartitions,
        "merge" => WriteMode::Merge { keys },
        _ => WriteMode::Append,
    };
    let (format, compression, update, files) = (None, None, None, None);
    let mut target = Target {
        destination,
        place,
        format,
        compression,
        partition_keys,
        update,
        mode,
        merge_keys,
        max_file_bytes,
        files,
        delta,
    };
    finish(&mut target);
    Some(Box::new(target))
}

fn mode(options: &Fields<'_>, delta: bool) -> &'static str {
    let known: &[&str] = &["append", "overwrite", "overwrite_partitions", "merge"];
    let Some(mode) = options.choice("writeMode", known) else { return "append" };
    if mode.value == "merge" && !delta {
        let error = Error::unsupported("only Delta tables can be merged into");
        options.wrong(&mode.span, error.hint("use S3DeltaDirectTarget or S3DeltaCatalogTarget"));
    }
    mode.value
}

/// `128 MB`, in bytes.
fn max_file_size(options: &Fields<'_>) -> Option<u64> {
    let text = options.text("maxFileSize")?;
    let written = text.value.trim();
    let digits = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let unit: Option<u64> = match unit.trim().to_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1 << 30),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    let bytes = bytes.filter(|bytes| *bytes >= 1 << 10);
    if bytes.is_none() {
        let error = Error::invalid(format!("`{written}` is no size of a file"));
        options.wrong(&text.span, error.hint("write a number and a unit, from 1 KB: `128 MB`"));
    }
    bytes
}

const BEHAVIORS: &[&str] = &["UPDATE_IN_DATABASE", "LOG"];

/// Whether the catalog is kept up to date, and with new columns.
fn policy(fields: &Fields<'_>) -> Option<bool> {
    let behavior = fields.choice("UpdateBehavior", BEHAVIORS);
    let enabled = fields.flag("EnableUpdateCatalog").unwrap_or(false);
    enabled.then(|| behavior.is_none_or(|behavior| behavior.value == "UPDATE_IN_DATABASE"))
}

fn update_of_path(fields: &Fields<'_>) -> Option<CatalogUpdate> {
    let add_columns = policy(fields);
    let (database, table) = (fields.text("Database"), fields.text("Table"));
    let add_columns = add_columns?;
    match (database, table) {
        (Some(database), Some(table)) => {
            Some(CatalogUpdate { database: database.value, table: table.value, add_columns })
        }
        _ => {
            let error = Error::invalid("the catalog is to be updated, but no table is named");
            fields.wrong(&fields.span, error.hint("name `Database` and `Table` under `SchemaChangePolicy`"));
            None
        }
    }
}

impl Target {
    fn keys(&self) -> Vec<String> {
        self.partition_keys.iter().map(|key| key.value.clone()).collect()
    }
}

impl Operation for Target {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        for key in self.partition_keys.iter().chain(&self.merge_keys) {
            cx.column(&key.value, &key.span);
        }
        if let Some(columns) = cx.columns() {
            let is_key = |name: &str| self.partition_keys.iter().any(|key| same_name(&key.value, name));
            if !columns.is_empty() && columns.names().all(is_key) {
                let error = Error::invalid(format!("every column of `{}` is a partition key", cx.id));
                cx.wrong(cx.span, error.why("files would have no column left").hint("leave one key out"));
            }
            // Formats without nested values or exact types say so when they are written; this can be said before.
            if let Some(FileFormat::Csv(_)) = &self.format
                && let Some(nested) = columns.iter().find(|c| {
                    matches!(
                        c.sql_type,
                        sql::SqlType::Array(_) | sql::SqlType::Map(..) | sql::SqlType::Row(_)
                    )
                })
            {
                let message = format!("`{}` is {}, which CSV cannot hold", nested.name, nested.sql_type);
                cx.wrong(
                    cx.span,
                    Error::invalid(message).hint("write JSON or Parquet, or drop the column before"),
                );
            }
        }
        Some(Step::Target(TargetSpec {
            input: cx.relation(),
            destination: self.destination.clone(),
            format: self.format.clone(),
            compression: self.compression.clone(),
            partition_keys: self.keys(),
            update: self.update.clone(),
            mode: self.mode.clone(),
            max_file_bytes: self.max_file_bytes,
            files: self.files,
        }))
    }

    fn span(&self) -> Option<Span> {
        Some(self.place.clone())
    }

    fn script(&self, out: &mut Script<'_>) {
        match (&self.destination, self.delta) {
            (_, true) => self.delta_script(out),
            (Destination::Path(path), _) => self.path_script(path, out),
            (Destination::Table { database, table }, _) => self.table_script(database, table, out),
        }
    }
}

impl Target {
    /// What Glue's writers cannot do in one call is said beside it.
    fn mode_script(&self, out: &mut Script<'_>) {
        match (&self.mode, &self.destination) {
            (WriteMode::Overwrite, Destination::Path(path)) => {
                out.line(&format!(
                    "glueContext.purge_s3_path({}, {{\"retentionPeriod\": 0}})",
                    py::text(&path.to_string())
                ));
            }
            (WriteMode::Overwrite, Destination::Table { database, table }) => {
                let (database, table) = (py::text(database), py::text(table));
                out.line(&format!(
                    "glueContext.purge_table({database}, {table}, {{\"retentionPeriod\": 0}})"
                ));
            }
            (WriteMode::OverwritePartitions, _) => {
                out.comment(
                    "Glue's writers only append: purge the partitions that are written anew before this.",
                );
            }
            _ => {}
        }
    }

    fn path_script(&self, path: &LakeUri, out: &mut Script<'_>) {
        self.mode_script(out);
        let input = out.input(0).to_owned();
        let format = self.format.as_ref().map_or("parquet", FileFormat::name);
        let written = if format == "parquet" { "glueparquet" } else { format };
        let path = py::text(&path.to_string());
        let keys = py::list(self.keys());
        let Some(update) = &self.update else {
            let compression =
                self.compression.as_deref().map(|c| format!("\"compression\": {}", py::text(c)));
            let options = match (written, &compression) {
                ("glueparquet", Some(option)) => format!("format_options={{{option}}}"),
                _ => "format_options={}".to_owned(),
            };
            let mut connection = format!("\"path\": {path}, \"partitionKeys\": {keys}");
            if let (Some(option), true) = (&compression, written != "glueparquet") {
                connection.push_str(&format!(", {option}"));
            }
            return out.assign_call(
                "glueContext.write_dynamic_frame.from_options",
                &[
                    format!("frame={input}"),
                    "connection_type=\"s3\"".to_owned(),
                    format!("format=\"{written}\""),
                    format!("connection_options={{{connection}}}"),
                    options,
                ],
            );
        };
        let mut arguments = vec![
            format!("path={path}"),
            "connection_type=\"s3\"".to_owned(),
            format!("updateBehavior=\"{}\"", if update.add_columns { "UPDATE_IN_DATABASE" } else { "LOG" }),
            format!("partitionKeys={keys}"),
            "enableUpdateCatalog=True".to_owned(),
        ];
        arguments.extend(self.compression.as_deref().map(|c| format!("compression={}", py::text(c))));
        out.assign_call("glueContext.getSink", &arguments);
        let var = out.var().to_owned();
        let (database, table) = (py::text(&update.database), py::text(&update.table));
        out.line(&format!("{var}.setCatalogInfo(catalogDatabase={database}, catalogTableName={table})"));
        let parquet = if written == "glueparquet" { ", useGlueParquetWriter=True" } else { "" };
        let parquet_name = if written == "glueparquet" { "glueparquet" } else { written };
        out.line(&format!("{var}.setFormat(\"{parquet_name}\"{parquet})"));
        out.line(&format!("{var}.writeFrame({input})"));
    }

    fn table_script(&self, database: &str, table: &str, out: &mut Script<'_>) {
        self.mode_script(out);
        let mut options = Vec::new();
        if let Some(update) = &self.update {
            options.push("\"enableUpdateCatalog\": True".to_owned());
            let behavior = if update.add_columns { "UPDATE_IN_DATABASE" } else { "LOG" };
            options.push(format!("\"updateBehavior\": \"{behavior}\""));
        }
        if !self.partition_keys.is_empty() {
            options.push(format!("\"partitionKeys\": {}", py::list(self.keys())));
        }
        let mut arguments = vec![
            format!("frame={}", out.input(0)),
            format!("database={}", py::text(database)),
            format!("table_name={}", py::text(table)),
        ];
        if !options.is_empty() {
            arguments.push(format!("additional_options={{{}}}", options.join(", ")));
        }
        out.assign_call("glueContext.write_dynamic_frame.from_catalog", &arguments);
    }

    fn delta_script(&self, out: &mut Script<'_>) {
        let input = format!("{}.toDF()", out.input(0));
        if let WriteMode::Merge { keys } = &self.mode {
            out.import("from delta.tables import DeltaTable");
            let table = match &self.destination {
                Destination::Path(path) => {
                    format!("DeltaTable.forPath(spark, {})", py::text(&path.to_string()))
                }
                Destination::Table { database, table } => {
                    format!("DeltaTable.forName(spark, {})", py::text(&format!("`{database}`.`{table}`")))
                }
            };
            let on: Vec<String> = keys.iter().map(|key| format!("target.`{key}` = source.`{key}`")).collect();
            let on = py::text(&on.join(" AND "));
            return out.line(&format!(
                "{table}.alias(\"target\").merge({input}.alias(\"source\"), {on}).whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()"
            ));
        }
        let mode = if self.mode == WriteMode::Append { "append" } else { "overwrite" };
        let dynamic = if self.mode == WriteMode::OverwritePartitions {
            ".option(\"partitionOverwriteMode\", \"dynamic\")"
        } else {
            ""
        };
        let keys = match self.partition_keys.is_empty() {
            true => String::new(),
            false => format!(".partitionBy({})", py::list(self.keys())),
        };
        let save = match (&self.destination, &self.update) {
            (Destination::Path(path), None) => format!(".save({})", py::text(&path.to_string())),
            (Destination::Path(path), Some(update)) => format!(
                ".option(\"path\", {}).saveAsTable({})",
                py::text(&path.to_string()),
                py::text(&format!("`{}`.`{}`", update.database, update.table))
            ),
            (Destination::Table { database, table }, _) => {
                format!(".saveAsTable({})", py::text(&format!("`{database}`.`{table}`")))
            }
        };
        out.line(&format!("{input}.write.format(\"delta\").mode(\"{mode}\"){dynamic}{keys}{save}"));
    }
}

/// Separated values as targets write them: with a header.
pub(super) fn csv() -> FileFormat {
    FileFormat::Csv(CsvFormat::default())
}
