//! Aggregate: groups and what is computed of each. Columns are named as Spark names them: `avg(fare)`.

use super::{Context, Kind, Operation};
use crate::fields::{ColumnPath, Fields};
use crate::query;
use crate::script::{Helper, Script, py};
use crate::step::Step;
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind::transform("Aggregate", read);

const FUNCTIONS: &[&str] = &[
    "avg",
    "countDistinct",
    "count",
    "first",
    "last",
    "kurtosis",
    "max",
    "min",
    "skewness",
    "stddev_samp",
    "stddev_pop",
    "sum",
    "sumDistinct",
    "var_samp",
    "var_pop",
];
/// Glue's own limit.
const MOST: usize = 30;

#[derive(Debug)]
struct Aggregate {
    groups: Vec<Placed<String>>,
    aggregates: Vec<(&'static str, Placed<ColumnPath>)>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let groups = fields.plain_columns("Groups");
    let count = fields.need_items("Aggs").len();
    let aggregates = fields.each("Aggs", "an aggregate", |one| {
        let column = one.need_path("Column");
        let function = one.need_choice("AggFunc", FUNCTIONS);
        Some((function?.value, column?))
    });
    if count > MOST {
        let error =
            Error::invalid(format!("{count} aggregates are more than the {MOST} that one node may have"));
        fields.wrong(&fields.span, error.hint("use two nodes and join them, or a SparkSQL node"));
    }
    fields.is_good().then(|| Box::new(Aggregate { groups, aggregates }) as Box<dyn Operation>)
}

/// The function's SQL and the name Spark gives its column.
fn written(function: &str, column: &str, name: &str) -> (String, String) {
    match function {
        "countDistinct" => (format!("count(DISTINCT {column})"), format!("count({name})")),
        "sumDistinct" => (format!("sum(DISTINCT {column})"), format!("sum(DISTINCT {name})")),
        // Without an order, first and last are any row's; a value is better than a NULL.
        "first" | "last" => (format!("arbitrary({column})"), format!("{function}({name})")),
        // Spark's kurtosis is that of the values themselves, Trino's an estimate for what they are a sample of.
        "kurtosis" => {
            let n = format!("CAST(count({column}) AS double)");
            let sample = format!("kurtosis({column})");
            (
                format!("({sample} * ({n} - 2) * ({n} - 3) / ({n} - 1) - 6) / ({n} + 1)"),
                format!("kurtosis({name})"),
            )
        }
        other => (format!("{other}({column})"), format!("{other}({name})")),
    }
}

impl Operation for Aggregate {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let mut items = Vec::new();
        for group in &self.groups {
            cx.column(&group.value, &group.span);
            items.push(quote_ident(&group.value));
        }
        for (function, path) in &self.aggregates {
            let known = cx.type_of(path);
            let takes_anything = ["count", "countDistinct", "first", "last", "min", "max"].contains(function);
            if let Some(known) = known.filter(|known| !takes_anything && !known.is_numeric()) {
                let message = format!("{function} needs a number, but `{}` is {known}", path.value.dotted());
                cx.wrong(
                    &path.span,
                    Error::invalid(message).hint("cast it to double in an ApplyMapping node before"),
                );
                return None;
            }
            let column = path.value.dotted();
            let (sql, mut name) = written(function, &query::path(&path.value), &column);
            // Spark calls both kinds of counts alike; beside each other they need names of their own.
            let counts = |f: &str| self.aggregates.iter().any(|(g, p)| *g == f && p.value.dotted() == column);
            if *function == "countDistinct" && counts("count") {
                name = format!("count(DISTINCT {column})");
            }
            items.push(format!("{sql} AS {}", quote_ident(&name)));
        }
        let mut sql = query::select(&items, &cx.relation().name);
        if !self.groups.is_empty() {
            sql.push_str(&format!(" GROUP BY {}", query::list(self.groups.iter().map(|group| &group.value))));
        }
        cx.query(sql, vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        out.helper(Helper::Aggregate);
        let aggregates: Vec<String> = self
            .aggregates
            .iter()
            .map(|(function, path)| py::list([path.value.dotted().as_str(), function]))
            .collect();
        out.assign_call(
            "sparkAggregate",
            &[
                "glueContext".to_owned(),
                format!("parentFrame={}", out.input(0)),
                format!("groups={}", py::list(self.groups.iter().map(|group| &group.value))),
                format!("aggs=[{}]", aggregates.join(", ")),
            ],
        );
    }
}
