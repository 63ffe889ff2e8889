//! The partitions that a query needs, asked of the catalog page by page: where each lies, its values, and how its files
//! are read.

use crate::columns::Columns;
use crate::format::Layout;
use crate::prune::{Evaluator, translate};
use crate::values;
use catalog::{Catalog, Partition, PartitionQuery, StorageDescriptor, TableEntry};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use model::{Error, LakeUri, Result};
use std::sync::Arc;

/// Partitions read at once.
const PAGE: usize = 10_000;

/// A folder of files with the same values in their partition columns.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) values: Arc<[ScalarValue]>,
    /// `year=2020/month=6`; empty without partition columns.
    pub(crate) name: Arc<str>,
    pub(crate) locations: Vec<LakeUri>,
    pub(crate) layout: Arc<Layout>,
}

/// What the choice left out.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) chosen: Vec<Chosen>,
    pub(crate) pruned: u64,
}

/// The layouts of a table's partitions; most are the table's own.
pub(crate) struct Layouts<'a> {
    entry: &'a TableEntry,
    columns: &'a Columns,
    own: Arc<Layout>,
    others: Vec<(StorageDescriptor, Arc<Layout>)>,
}

impl<'a> Layouts<'a> {
    pub(crate) fn new(entry: &'a TableEntry, columns: &'a Columns, own: &Arc<Layout>) -> Self {
        Self { entry, columns, own: Arc::clone(own), others: Vec::new() }
    }

    fn of(&mut self, storage: &StorageDescriptor) -> Result<Arc<Layout>> {
        let table = &self.entry.table.storage;
        let silent = storage.serde.library.is_none() && storage.input_format.is_none();
        let same_columns =
            !self.own.needs_columns() || storage.columns.is_empty() || same_columns(storage, table);
        if (silent || (storage.serde == table.serde && storage.input_format == table.input_format))
            && same_columns
        {
            return Ok(Arc::clone(&self.own));
        }
        let mut key = storage.clone();
        (key.location, key.parameters) = (None, Default::default());
        if silent {
            key.serde = table.serde.clone();
            key.input_format.clone_from(&table.input_format);
        }
        if let Some((_, layout)) = self.others.iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(layout));
        }
        let layout = Arc::new(Layout::of(&key, &self.entry.table.parameters, self.columns)?);
        self.others.push((key, Arc::clone(&layout)));
        Ok(layout)
    }
}

fn same_columns(a: &StorageDescriptor, b: &StorageDescriptor) -> bool {
    a.columns.len() == b.columns.len()
        && a.columns
            .iter()
            .zip(&b.columns)
            .all(|(a, b)| a.hive_type == b.hive_type && a.name.eq_ignore_ascii_case(&b.name))
}

/// The partitions for which the filters, which speak of partition columns alone, are true.
pub(crate) async fn choose(
    catalog: &Catalog,
    entry: &TableEntry,
    columns: &Columns,
    own: &Arc<Layout>,
    filters: &[Expr],
    evaluator: &Evaluator,
) -> Result<Choice> {
    let filter = translate(filters, columns);
    let mut choice = Choice::default();
    let mut without_columns = !own.needs_columns();
    let mut after = None;
    loop {
        let query = PartitionQuery {
            filter: filter.clone(),
            after: after.take(),
            limit: Some(PAGE),
            without_storage: without_columns,
            ..PartitionQuery::default()
        };
        let page = catalog.list_partitions(&entry.database, &entry.table.name, query.clone()).await?;
        let chosen = match keep(entry, columns, own, evaluator, &page.partitions)? {
            Kept::NeedsColumns if without_columns => {
                // A partition of another format, whose columns stand by position: the page once more, with columns.
                without_columns = false;
                after = query.after;
                continue;
            }
            Kept::NeedsColumns => return Err(Error::internal("the columns of a partition are missing")),
            Kept::Chosen(chosen) => chosen,
        };
        choice.pruned += (page.partitions.len() - chosen.len()) as u64;
        choice.chosen.extend(chosen);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    if filter.is_some() {
        // What the index left out was never listed.
        let all = catalog.count_partitions(&entry.database, &entry.table.name).await?;
        choice.pruned = all.saturating_sub(choice.chosen.len() as u64);
    }
    Ok(choice)
}

enum Kept {
    Chosen(Vec<Chosen>),
    NeedsColumns,
}

fn keep(
    entry: &TableEntry,
    columns: &Columns,
    own: &Arc<Layout>,
    evaluator: &Evaluator,
    partitions: &[Partition],
) -> Result<Kept> {
    let mut layouts = Layouts::new(entry, columns, own);
    let values = partitions.iter().map(|partition| typed(columns, &partition.values));
    let values: Vec<Vec<ScalarValue>> = values.collect::<Result<_>>()?;
    let rows: Vec<&[ScalarValue]> = values.iter().map(Vec::as_slice).collect();
    let wanted = evaluator.keep(&rows)?;
    let mut chosen = Vec::new();
    for ((partition, values), _) in partitions.iter().zip(values).zip(wanted).filter(|(_, wanted)| *wanted) {
        let layout = layouts.of(&partition.storage)?;
        if layout.needs_columns() && !own.needs_columns() && partition.storage.columns.is_empty() {
            return Ok(Kept::NeedsColumns);
        }
        let name = name_of(columns, &partition.values);
        chosen.push(Chosen {
            locations: locations(entry, partition, &name)?,
            values: values.into(),
            name: name.into(),
            layout,
        });
    }
    Ok(Kept::Chosen(chosen))
}

/// The values of the partition columns.
pub(crate) fn typed(columns: &Columns, texts: &[String]) -> Result<Vec<ScalarValue>> {
    let keys = columns.partitions();
    if keys.len() != texts.len() {
        return Err(Error::corrupt(format!(
            "a partition has {} values, the table has {} partition columns",
            texts.len(),
            keys.len()
        )));
    }
    keys.iter().zip(texts).map(|(key, text)| values::parse(text, &key.sql_type, &key.name)).collect()
}

/// `year=2020/month=6`, as Hive names the folder.
pub(crate) fn name_of(columns: &Columns, texts: &[String]) -> String {
    let parts = columns.partitions().iter().zip(texts);
    parts.map(|(key, text)| format!("{}={}", escaped(&key.name), escaped(text))).collect::<Vec<_>>().join("/")
}

/// Hive's escapes for characters that a folder's name must not hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            out.push_str(&format!("%{:02X}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

fn locations(entry: &TableEntry, partition: &Partition, name: &str) -> Result<Vec<LakeUri>> {
    let storage = &partition.storage;
    let first = match (&storage.location, &entry.table.storage.location) {
        (Some(location), _) if !location.is_empty() => location.parse()?,
        (_, Some(table)) => table.parse::<LakeUri>()?.join(&format!("{name}/"))?,
        _ => {
            return Err(Error::invalid(format!(
                "the partition {name} of the table `{}` has no location",
                entry.table.name
            ))
            .hint("set the location of the partition or of the table"));
        }
    };
    std::iter::once(Ok(first)).chain(storage.additional_locations.iter().map(|text| text.parse())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Column, HiveType};

    #[test]
    fn folders_are_named_as_hive_does() {
        let keys = [Column::new("A", HiveType::String), Column::new("b", HiveType::Int)];
        let columns = Columns::new("t", &[], &keys, false).unwrap();
        let name = name_of(&columns, &["x/y z=1:%".to_owned(), "7".to_owned()]);
        assert_eq!(name, "a=x%2Fy z%3D1%3A%25/b=7");
    }
}
