//! A table of the catalog, with a predicate over its partitions.

use super::{Context, Kind, Operation, UserText};
use crate::fields::Fields;
use crate::script::{Script, py};
use crate::spark;
use crate::step::{SourceSpec, Step, TableSpec};
use crate::text::Placed;

pub(super) const KIND: Kind = Kind::source("CatalogSource", read);

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let database = fields.need_text("Database");
    let table = fields.need_text("Table");
    let predicate = fields.text("PartitionPredicate").filter(|predicate| !predicate.value.trim().is_empty());
    let bounds = fields.map("AdditionalOptions", super::source_files::portion);
    fields.ignore(&["OutputSchemas"]);
    fields.is_good().then_some(())?;
    Some(Box::new(CatalogSource {
        database: database?,
        table: table?,
        predicate,
        bounds: bounds.unwrap_or_default(),
    }))
}

#[derive(Debug)]
struct CatalogSource {
    database: Placed<String>,
    table: Placed<String>,
    predicate: Option<Placed<String>>,
    bounds: (Option<u64>, Option<u64>, bool),
}

impl Operation for CatalogSource {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let predicate = match &self.predicate {
            None => None,
            Some(written) => Some(cx.translated(written)?),
        };
        let text = predicate.as_ref().map(|translated| translated.text.clone());
        cx.user_text = predicate.zip(self.predicate.clone()).map(|(translated, written)| UserText {
            begins: 0,
            translated,
            written,
        });
        Some(Step::Source(SourceSpec::Table(TableSpec {
            database: self.database.value.clone(),
            table: self.table.value.clone(),
            predicate: text,
            bounded_bytes: self.bounds.0,
            bounded_files: self.bounds.1,
            read_all: self.bounds.2,
        })))
    }

    fn span(&self) -> Option<crate::text::Span> {
        Some(self.table.span.clone())
    }

    fn script(&self, out: &mut Script<'_>) {
        let mut arguments = vec![
            format!("database={}", py::text(&self.database.value)),
            format!("table_name={}", py::text(&self.table.value)),
        ];
        if let Some(predicate) = &self.predicate {
            arguments.push(format!("push_down_predicate={}", py::text(&predicate.value)));
        }
        let bounds = [("boundedSize", self.bounds.0), ("boundedFiles", self.bounds.1)];
        let bounds: Vec<String> =
            bounds.iter().filter_map(|(name, n)| Some(format!("\"{name}\": \"{}\"", (*n)?))).collect();
        if !bounds.is_empty() {
            arguments.push(format!("additional_options={{{}}}", bounds.join(", ")));
        }
        out.assign_call("glueContext.create_dynamic_frame.from_catalog", &arguments);
    }
}

impl Context<'_> {
    /// A text of the user in Trino's words; what cannot be translated is reported where it stands.
    pub(super) fn translated(&self, written: &Placed<String>) -> Option<spark::Translated> {
        match spark::translate(&written.value) {
            Ok(translated) => Some(translated),
            Err(mistakes) => {
                for (bytes, error) in mistakes {
                    self.mistakes.keep(error.at(crate::check::place_in_text(
                        self.mistakes.source,
                        written,
                        &bytes,
                    )));
                }
                None
            }
        }
    }
}
