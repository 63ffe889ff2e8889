//! gs_to_timestamp: a number or text as a timestamp. Values that are none are rejected with their row.

use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::script::{Script, py};
use crate::step::{Reject, Step};
use crate::text::Placed;
use crate::{query, types};
use model::Error;
use sql::{SqlType, quote_ident};

const TYPES: &[&str] = &["autodetect", "iso", "seconds", "milliseconds", "microseconds"];

#[derive(Debug)]
struct ToTimestamp {
    column: Placed<String>,
    kind: &'static str,
    kind_span: crate::text::Span,
    new: Option<String>,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.need_text("colName");
    let kind = fields.choice("colType", TYPES);
    let new = fields.text("newColName").map(|name| name.value).filter(|name| !name.is_empty());
    fields.is_good().then_some(())?;
    let column = column?;
    let kind_span = kind.as_ref().map_or_else(|| column.span.clone(), |kind| kind.span.clone());
    Some(Box::new(ToTimestamp { column, kind: kind.map_or("autodetect", |kind| kind.value), kind_span, new }))
}

/// A number of units since 1970 as a timestamp in UTC.
fn since_1970(number: &str, kind: &str) -> String {
    let seconds = match kind {
        "seconds" => number.to_owned(),
        "milliseconds" => format!("{number} / 1000e0"),
        "microseconds" => format!("{number} / 1000000e0"),
        // Seconds have 10 digits today, milliseconds 13, microseconds 16.
        _ => format!(
            "CASE WHEN abs({number}) < 1e11 THEN {number} WHEN abs({number}) < 1e14 THEN {number} / 1000e0 ELSE {number} / 1000000e0 END"
        ),
    };
    format!("CAST(from_unixtime({seconds}) AT TIME ZONE 'UTC' AS timestamp(3))")
}

impl Operation for ToTimestamp {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let found = cx.column(&self.column.value, &self.column.span)?;
        let name = quote_ident(&found.name);
        let known = &found.sql_type;
        let expr = match known {
            SqlType::Timestamp(_) => name.clone(),
            SqlType::TimestampTz(..) => format!("CAST({name} AT TIME ZONE 'UTC' AS timestamp(3))"),
            SqlType::Date => format!("CAST({name} AS timestamp(3))"),
            t if t.is_numeric() && self.kind != "iso" => {
                since_1970(&format!("CAST({name} AS double)"), self.kind)
            }
            t if t.is_text() && self.kind == "iso" => types::timestamp_of_text(&name),
            t if t.is_text() => {
                let number = since_1970(&format!("TRY_CAST(trim({name}) AS double)"), self.kind);
                let text = types::timestamp_of_text(&name);
                if self.kind == "autodetect" { format!("coalesce({text}, {number})") } else { number }
            }
            other => {
                let error =
                    Error::invalid(format!("`{}` is {other}, which cannot be a timestamp", found.name));
                let span = if self.kind == "iso" { &self.kind_span } else { &self.column.span };
                cx.wrong(
                    span,
                    error.hint("numbers take seconds, milliseconds or microseconds, texts take iso"),
                );
                return None;
            }
        };
        let rejects = if known.is_text() {
            vec![Reject {
                condition: types::cast_failed(&name, &expr, Some(known)),
                column: found.name.clone(),
                reason: "the value is no timestamp".to_owned(),
            }]
        } else {
            vec![]
        };
        let new = self.new.as_deref().unwrap_or(&self.column.value);
        cx.query(query::select(&query::with_column(cx.columns()?, new, &expr), &cx.relation().name), rejects)
    }

    fn script(&self, out: &mut Script<'_>) {
        let mut arguments =
            vec![format!("colName={}", py::text(&self.column.value)), format!("colType=\"{}\"", self.kind)];
        arguments.extend(self.new.as_ref().map(|new| format!("newColName={}", py::text(new))));
        out.assign_method("gs_to_timestamp", &arguments);
    }
}
