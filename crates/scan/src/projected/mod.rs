//! Partition projection: partitions that no catalog holds, computed from the table's `projection.…` properties as Athena
//! documents them. Only the values that a query's filters leave are made.

mod dates;
mod value;

use crate::columns::{Columns, ScanColumn};
use crate::format::Layout;
use crate::partitions::{Choice, Chosen, name_of, typed};
use crate::prune::{Evaluator, bounds_of, is_of};
use catalog::{Parameters, Table, TableEntry};
use chrono::{DateTime, Utc};
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::split_conjunction;
use model::{Error, ErrorKind, LakeUri, Result};
use std::sync::Arc;
use value::{Candidate, Values};

/// A query that needs more partitions than this asks too much.
const MOST: usize = 1_000_000;

/// The projection of a table.
#[derive(Debug)]
pub(crate) struct Projection {
    /// In the order of the partition columns.
    values: Vec<Values>,
    template: Option<String>,
}

/// What a query says to a projection.
pub(crate) struct Question<'a> {
    pub(crate) state: &'a dyn Session,
    pub(crate) entry: &'a TableEntry,
    pub(crate) columns: &'a Columns,
    pub(crate) layout: &'a Arc<Layout>,
    pub(crate) filters: &'a [Expr],
    pub(crate) now: DateTime<Utc>,
}

fn property<'a>(parameters: &'a Parameters, key: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
}

impl Projection {
    /// The projection that the table's properties describe, if they enable one.
    pub(crate) fn of(table: &Table, columns: &Columns) -> Result<Option<Self>> {
        let enabled = property(&table.parameters, "projection.enabled");
        if columns.partition_count == 0 || !enabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let values = columns.partitions().iter().map(|column| Values::of(&table.parameters, column));
        let values = values.collect::<Result<_>>()?;
        let template = property(&table.parameters, "storage.location.template").map(str::to_owned);
        if let Some(template) = &template {
            check_template(template, columns)?;
        }
        Ok(Some(Self { values, template }))
    }

    /// The partitions that the filters leave.
    pub(crate) fn choose(&self, question: &Question<'_>) -> Result<Choice> {
        let mut lists = Vec::with_capacity(self.values.len());
        for (values, column) in self.values.iter().zip(question.columns.partitions()) {
            let list = self.candidates(values, column, question)?;
            if list.is_empty() {
                return Ok(Choice::default());
            }
            lists.push(list);
        }
        let count = lists.iter().try_fold(1usize, |count, list| count.checked_mul(list.len()));
        if count.is_none_or(|count| count > MOST) {
            return Err(too_many(question.entry));
        }
        let keys = &question.columns.constant_fields[..question.columns.partition_count];
        let evaluator = Evaluator::new(question.state, keys, question.filters)?;
        let mut choice = Choice::default();
        let mut combined = Combinations::new(&lists);
        loop {
            let some: Vec<Vec<&Candidate>> = combined.by_ref().take(8192).collect();
            if some.is_empty() {
                return Ok(choice);
            }
            let texts = |one: &[&Candidate]| one.iter().map(|c| c.value.clone()).collect::<Vec<_>>();
            let rows = some.iter().map(|one| typed(question.columns, &texts(one)));
            let rows: Vec<Vec<ScalarValue>> = rows.collect::<Result<_>>()?;
            let borrowed: Vec<&[ScalarValue]> = rows.iter().map(Vec::as_slice).collect();
            let keep = evaluator.keep(&borrowed)?;
            for ((one, row), keep) in some.into_iter().zip(rows).zip(keep) {
                let folders: Vec<String> = one.iter().map(|c| c.folder.clone()).collect();
                match keep {
                    true => choice.chosen.push(self.chosen(question, &folders, row)?),
                    false => choice.pruned += 1,
                }
            }
        }
    }

    /// The values of one column that the filters on it alone leave.
    fn candidates(
        &self,
        values: &Values,
        column: &ScanColumn,
        question: &Question<'_>,
    ) -> Result<Vec<Candidate>> {
        let bounds = bounds_of(question.filters, column);
        let all = values.candidates(column, &bounds, question.now, MOST)?;
        let Some(all) = all else { return Err(too_many(question.entry)) };
        let alone: Vec<Expr> = question
            .filters
            .iter()
            .flat_map(split_conjunction)
            .filter(|filter| is_of(filter, &column.name))
            .cloned()
            .collect();
        let field = question.columns.schema.field_with_name(&column.name);
        let field = field.map_err(|e| Error::internal("a partition column is missing").source_is(e))?;
        let evaluator = Evaluator::new(question.state, &[Arc::new(field.clone())], &alone)?;
        if evaluator.keeps_all() {
            return Ok(all);
        }
        let parsed = all.iter().map(|one| crate::values::parse(&one.value, &column.sql_type, &column.name));
        let parsed: Vec<[ScalarValue; 1]> =
            parsed.map(|value| value.map(|value| [value])).collect::<Result<_>>()?;
        let rows: Vec<&[ScalarValue]> = parsed.iter().map(|value| value.as_slice()).collect();
        let keep = evaluator.keep(&rows)?;
        Ok(all.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(one, _)| one).collect())
    }

    fn chosen(&self, question: &Question<'_>, texts: &[String], row: Vec<ScalarValue>) -> Result<Chosen> {
        let name = name_of(question.columns, texts);
        let location = match &self.template {
            Some(template) => filled(template, question.columns, texts).parse()?,
            None => {
                let table = question.entry.table.storage.location.as_deref().unwrap_or_default();
                table.parse::<LakeUri>()?.join(&format!("{name}/"))?
            }
        };
        Ok(Chosen {
            values: row.into(),
            name: name.into(),
            locations: vec![location],
            layout: Arc::clone(question.layout),
        })
    }
}

fn too_many(entry: &TableEntry) -> Error {
    let table = &entry.table.name;
    Error::new(
        ErrorKind::LimitExceeded,
        format!("the projection of the table `{table}` has too many partitions"),
    )
    .why(format!("more than {MOST} partitions are left by the filters"))
    .hint("filter on the partition columns, or make the ranges of the projection smaller")
}

fn check_template(template: &str, columns: &Columns) -> Result<()> {
    template.replace("${", "").replace('}', "").parse::<LakeUri>().map(drop).map_err(|e| {
        Error::invalid(format!("the `storage.location.template` `{template}` is no lake address"))
            .source_is(e)
    })?;
    for column in columns.partitions() {
        if !template.to_lowercase().contains(&format!("${{{}}}", column.name)) {
            return Err(Error::invalid(format!(
                "the `storage.location.template` lacks the partition column `{}`",
                column.name
            ))
            .hint(format!("write ${{{}}} where its value stands in the path", column.name)));
        }
    }
    Ok(())
}

/// The template with values in the place of names.
fn filled(template: &str, columns: &Columns, texts: &[String]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let name = rest[start + 2..start + length].to_lowercase();
        let at = columns.partitions().iter().position(|column| column.name == name);
        out.push_str(&rest[..start]);
        match at.and_then(|at| texts.get(at)) {
            Some(text) => out.push_str(text),
            None => out.push_str(&rest[start..=start + length]),
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

/// Every combination of one value from each list, the last list turning fastest.
struct Combinations<'a> {
    lists: &'a [Vec<Candidate>],
    next: Option<Vec<usize>>,
}

impl<'a> Combinations<'a> {
    fn new(lists: &'a [Vec<Candidate>]) -> Self {
        Self { lists, next: Some(vec![0; lists.len()]) }
    }
}

impl<'a> Iterator for Combinations<'a> {
    type Item = Vec<&'a Candidate>;

    fn next(&mut self) -> Option<Vec<&'a Candidate>> {
        let mut at = self.next.take()?;
        let texts = self.lists.iter().zip(&at).filter_map(|(list, at)| list.get(*at)).collect();
        let mut turned = false;
        for (list, at) in self.lists.iter().zip(&mut at).rev() {
            *at += 1;
            if *at < list.len() {
                turned = true;
                break;
            }
            *at = 0;
        }
        self.next = turned.then_some(at);
        Some(texts)
    }
}
