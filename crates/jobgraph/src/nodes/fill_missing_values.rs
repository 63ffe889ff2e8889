//! FillMissingValues: a further column in which missing values are filled in. Glue predicts them with models it trains
//! for each run; here numbers get the mean of the others, and everything else the most frequent value.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use sql::{SqlType, quote_ident};

pub(super) const KIND: Kind = Kind::transform("FillMissingValues", read);

#[derive(Debug)]
struct FillMissingValues {
    column: Placed<String>,
    filled: String,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.need_path("ImputedPath").and_then(|path| fields.plain(path));
    let filled = fields.text("FilledPath").map(|path| path.value).filter(|path| !path.is_empty());
    fields.is_good().then_some(())?;
    let column = column?;
    // The name that Glue gives where none is said.
    let filled = filled.unwrap_or_else(|| format!("{}_filled", column.value));
    Some(Box::new(FillMissingValues { column, filled }))
}

impl Operation for FillMissingValues {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let found = cx.column(&self.column.value, &self.column.span)?;
        let from = quote_ident(&cx.relation().name);
        let name = quote_ident(&found.name);
        // A blank text is as missing as a NULL.
        let value = if found.sql_type.is_text() { format!("nullif(trim({name}), '')") } else { name.clone() };
        let guess = match &found.sql_type {
            t if t.is_integer() => format!("(SELECT CAST(round(avg({name})) AS {t}) FROM {from})"),
            t @ (SqlType::Real | SqlType::Double | SqlType::Decimal(..)) => {
                format!("(SELECT CAST(avg({name}) AS {t}) FROM {from})")
            }
            _ => format!(
                "(SELECT value FROM (SELECT {value} AS value, count(*) AS n FROM {from} GROUP BY 1) AS counted \
                 WHERE value IS NOT NULL ORDER BY n DESC, value LIMIT 1)"
            ),
        };
        let test = format!("if({value} IS NULL, {guess}, {name})");
        let items = query::with_column(cx.columns()?, &self.filled, &test);
        cx.query(query::select(&items, &cx.relation().name), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let column = py::text(&self.column.value);
        let arguments = [
            format!("frame={}", out.input(0)),
            format!("missing_values_column={column}"),
            format!("output_column={}", py::text(&self.filled)),
        ];
        out.import("from awsglueml.transforms import FillMissingValues");
        out.assign_call("FillMissingValues.apply", &arguments);
    }
}
