//! How the files of a table or of one partition are read: format, columns, and how these are found in the files.

use crate::columns::Columns;
use crate::files::SYMLINKS;
use crate::foreign::Recipe;
use crate::parquet::Naming;
use catalog::{Parameters, StorageDescriptor};
use formats::{Format, FormatSpec, Match, OnError, RejectSink};
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// How files are read.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) reading: Reading,
    /// Whether the files of the folder only name the files to read.
    pub(crate) symlinks: bool,
}

#[derive(Debug)]
pub(crate) enum Reading {
    Parquet(Arc<Naming>),
    Foreign(Arc<Recipe>),
}

impl Layout {
    /// The layout that a storage descriptor tells. `own` are the columns in its files where position counts.
    pub(crate) fn of(storage: &StorageDescriptor, table: &Parameters, columns: &Columns) -> Result<Self> {
        let class = storage.input_format.as_deref().unwrap_or_default();
        let symlinks = class.ends_with(SYMLINKS);
        let serde = &storage.serde;
        let mut params = table.clone();
        params.extend(storage.parameters.clone());
        let spec = FormatSpec::from_table(
            Some(class).filter(|class| !class.is_empty() && !symlinks),
            serde.library.as_deref(),
            serde.parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())),
            params.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        )?;
        let by_index = |key: &str, default: bool| {
            let found = serde.parameters.get(key).or_else(|| params.get(key));
            found.map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
        };
        let reading = match spec.format {
            Format::Parquet if by_index("parquet.column.index.access", false) => {
                let stored = storage.columns.iter().map(|column| column.name.to_lowercase());
                let names: Vec<String> = stored.collect();
                let names = if names.is_empty() { table_names(columns) } else { names };
                Reading::Parquet(Arc::new(Naming::ByPosition(names)))
            }
            Format::Parquet => Reading::Parquet(Arc::new(Naming::ByName)),
            // Athena reads ORC by position unless the table says otherwise.
            Format::Orc if by_index("orc.column.index.access", true) => {
                Reading::Foreign(Arc::new(recipe(spec, Some(storage), columns, Match::Index)))
            }
            _ => {
                let own = by_position(&spec).then_some(storage);
                Reading::Foreign(Arc::new(recipe(spec, own, columns, Match::Name)))
            }
        };
        Ok(Self { reading, symlinks })
    }

    /// For files of that format with these columns, found by name.
    pub(crate) fn plain(spec: FormatSpec, columns: &Columns) -> Self {
        let reading = match spec.format {
            Format::Parquet => Reading::Parquet(Arc::new(Naming::ByName)),
            _ => Reading::Foreign(Arc::new(recipe(spec, None, columns, Match::Name))),
        };
        Self { reading, symlinks: false }
    }

    /// Says what happens to values that do not fit, and who takes the lines that are left out because of them.
    pub(crate) fn on_error(&mut self, on_error: OnError, rejects: Option<Arc<dyn RejectSink>>) {
        if let Reading::Foreign(recipe) = &mut self.reading {
            let changed = Recipe { on_error, rejects, ..recipe.as_ref().clone() };
            *recipe = Arc::new(changed);
        }
    }

    /// Whether the columns of a partition say which column of the table stands where.
    pub(crate) fn needs_columns(&self) -> bool {
        match &self.reading {
            Reading::Parquet(naming) => **naming != Naming::ByName,
            Reading::Foreign(recipe) => recipe.matching == Match::Index || by_position(&recipe.spec),
        }
    }
}

fn table_names(columns: &Columns) -> Vec<String> {
    columns.data().iter().map(|column| column.name.clone()).collect()
}

/// Whether columns of such files are found by where they stand.
fn by_position(spec: &FormatSpec) -> bool {
    match &spec.format {
        Format::Csv(csv) => !csv.header_names,
        Format::Delimited(_) | Format::Regex(_) => true,
        Format::Json(_) | Format::Grok(_) | Format::AccessLog => false,
        Format::Parquet | Format::Orc | Format::Avro(_) => false,
    }
}

/// `own`: the descriptor whose columns stand in the files; without it (or without columns) the table's.
fn recipe(spec: FormatSpec, own: Option<&StorageDescriptor>, columns: &Columns, matching: Match) -> Recipe {
    let table = columns.data().iter().map(|c| formats::Column::new(&c.name, c.sql_type.clone()));
    let stored: Vec<formats::Column> = match own {
        Some(storage) if !storage.columns.is_empty() => storage
            .columns
            .iter()
            .map(|c| formats::Column::new(c.name.to_lowercase(), SqlType::from_hive(&c.hive_type)))
            .collect(),
        _ => table.collect(),
    };
    let places = columns
        .data()
        .iter()
        .map(|column| (stored.iter().position(|stored| stored.name == column.name), column.sql_type.clone()));
    let places = places.collect();
    Recipe { places, columns: stored, spec, matching, on_error: OnError::Null, rejects: None }
}
