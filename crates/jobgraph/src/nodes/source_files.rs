//! What all file sources share: paths, exclusions, compression, declared columns.

use crate::columns::{Column, Columns};
use crate::fields::Fields;
use crate::script::{Script, py};
use crate::step::{FileFormat, FilesSpec, SourceSpec, Step};
use crate::types;
use model::{Error, nearest_hint};

/// Reads the shared settings; the format's own have been read before.
pub(super) fn read(fields: &Fields<'_>, format: FileFormat) -> Option<Files> {
    let compressions: &[&str] = match format {
        FileFormat::Csv(_) | FileFormat::Json { .. } | FileFormat::Text => &["gzip", "bzip2"],
        _ => &["snappy", "lzo", "gzip", "brotli", "lz4", "uncompressed", "none"],
    };
    fields.need_items("Paths");
    let paths = fields.texts("Paths").iter().filter_map(|path| fields.uri(path)).collect();
    let compression = fields.choice("CompressionType", compressions).map(|c| c.value.to_owned());
    let bounds = fields.map("AdditionalOptions", |inner| {
        inner.ignore(&["EnableSamplePath", "SamplePath"]);
        portion(inner)
    });
    let (bounded_bytes, bounded_files, read_all) = bounds.unwrap_or_default();
    let spec = FilesSpec {
        paths,
        format,
        recurse: fields.flag("Recurse").unwrap_or(true),
        exclusions: exclusions(fields),
        compression,
        columns: output_schemas(fields),
        bounded_bytes,
        bounded_files,
        read_all,
    };
    // Glue groups small files by these; here files are read as they come.
    fields.ignore(&["GroupSize", "GroupFiles", "MaxBand", "MaxFilesInBand"]);
    fields.is_good().then_some(Files { spec })
}

/// How much of a source one run reads: at most so many bytes and files; or everything, whatever the bookmark has seen.
pub(super) fn portion(fields: &Fields<'_>) -> (Option<u64>, Option<u64>, bool) {
    let number = |name| fields.number(name).map(|n| n.value).filter(|n| *n > 0);
    let bookmark = fields.choice("JobBookmark", &["enable", "disable"]);
    (number("BoundedSize"), number("BoundedFiles"), bookmark.is_some_and(|said| said.value == "disable"))
}

/// Glue keeps exclusions as one JSON text within the text: `"[\"**.pdf\"]"`.
fn exclusions(fields: &Fields<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for text in fields.texts("Exclusions") {
        let inner = text.value.trim();
        match inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => {
                all.extend(
                    inner
                        .split(',')
                        .map(|p| p.trim().trim_matches(['"', '\'', '\\']).to_owned())
                        .filter(|p| !p.is_empty()),
                );
            }
            None => all.push(inner.to_owned()),
        }
    }
    all
}

/// `OutputSchemas: [{Columns: [{Name, Type}]}]`
pub(super) fn output_schemas(fields: &Fields<'_>) -> Option<Columns> {
    let schemas = fields.each("OutputSchemas", "OutputSchemas", |schema| {
        Some(schema.each("Columns", "a column", |column| {
            let name = column.need_text("Name")?;
            column.ignore(&["GlueStudioType"]);
            let written = column.text("Type")?;
            let Some(sql_type) = types::of_glue(&written.value) else {
                let error = Error::invalid(format!("`{}` is no type", written.value));
                column.wrong(
                    &written.span,
                    error.hint(nearest_hint(&written.value, types::NAMES.iter().copied())),
                );
                return None;
            };
            Some(Column { name: name.value, sql_type })
        }))
    });
    let columns = schemas.into_iter().next().filter(|columns| !columns.is_empty())?;
    Some(Columns::new(columns))
}

/// A file source with its settings.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) spec: FilesSpec,
}

impl super::Operation for Files {
    fn step(&self, _: &mut super::Context<'_>) -> Option<Step> {
        Some(Step::Source(SourceSpec::Files(self.spec.clone())))
    }

    fn columns(&self) -> Option<Columns> {
        match self.spec.format {
            FileFormat::Text => Some(
                [("line", sql::SqlType::VARCHAR), ("$path", sql::SqlType::VARCHAR)].into_iter().collect(),
            ),
            _ => self.spec.columns.clone(),
        }
    }

    fn script(&self, out: &mut Script<'_>) {
        let spec = &self.spec;
        if spec.format == FileFormat::Text {
            return text_script(spec, out);
        }
        let mut options = vec![
            format!("\"paths\": {}", py::list(spec.paths.iter().map(ToString::to_string))),
            format!("\"recurse\": {}", py::flag(spec.recurse)),
        ];
        if !spec.exclusions.is_empty() {
            let inner = py::json_list(&spec.exclusions);
            options.push(format!("\"exclusions\": {}", py::text(&inner)));
        }
        let mut more = [("compressionType", spec.compression.clone())]
            .into_iter()
            .chain([("boundedSize", spec.bounded_bytes.map(|n| n.to_string()))])
            .chain([("boundedFiles", spec.bounded_files.map(|n| n.to_string()))])
            .filter_map(|(name, value)| Some(format!("\"{name}\": {}", py::text(&value?))))
            .collect::<Vec<_>>();
        options.append(&mut more);
        let format = spec.format.name();
        out.assign_call(
            "glueContext.create_dynamic_frame.from_options",
            &[
                format!("format_options={}", format_options(&spec.format)),
                "connection_type=\"s3\"".to_owned(),
                format!("format=\"{format}\""),
                format!("connection_options={{{}}}", options.join(", ")),
            ],
        );
    }
}

fn text_script(spec: &FilesSpec, out: &mut Script<'_>) {
    let paths = py::list(spec.paths.iter().map(ToString::to_string));
    let frame = format!(
        "spark.read.option(\"recursiveFileLookup\", {}).text({paths}).withColumnRenamed(\"value\", \"line\").withColumn(\"$path\", SqlFuncs.input_file_name())",
        py::text(&spec.recurse.to_string())
    );
    out.assign_frame(&frame);
}

fn format_options(format: &FileFormat) -> String {
    match format {
        FileFormat::Csv(csv) => {
            let quote = csv.quote.map_or_else(|| "-1".to_owned(), |quote| py::text(&quote.to_string()));
            let mut options = vec![
                format!("\"quoteChar\": {quote}"),
                format!("\"withHeader\": {}", py::flag(csv.header)),
                format!("\"separator\": {}", py::text(&csv.separator.to_string())),
                format!("\"multiLine\": {}", py::text(&csv.multiline.to_string())),
            ];
            if let Some(escape) = csv.escape {
                options.push(format!("\"escaper\": {}", py::text(&escape.to_string())));
            }
            if csv.skip_first {
                options.push("\"skipFirst\": True".to_owned());
            }
            format!("{{{}}}", options.join(", "))
        }
        FileFormat::Json { json_path, multiline } => {
            let path = json_path
                .as_ref()
                .map(|path| format!("\"jsonPath\": {}, ", py::text(path)))
                .unwrap_or_default();
            format!("{{{path}\"multiLine\": {}}}", py::text(&multiline.to_string()))
        }
        _ => "{}".to_owned(),
    }
}
