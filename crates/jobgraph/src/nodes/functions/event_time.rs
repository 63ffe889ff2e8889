//! glulam_event_time: year, month, day and hour of a timestamp as columns, to make partitions by the event's own time.
//! Columns of these names are replaced: an input that is partitioned by arrival has them already.
//!
//! Parameters: `column`; `parts` (default `year, month, day, hour`; also `minute`); `style`: `number` (default) or
//! `text`, which has leading zeros (`06`). Rows without a time are rejected.

use super::event_time;
use crate::columns::same_name;
use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::query;
use crate::script::{Script, py};
use crate::step::{Reject, Step};
use crate::text::Placed;
use model::{Error, nearest_hint};
use sql::quote_ident;

/// The parts with their letters.
const PARTS: &[(&str, &str)] =
    &[("year", "yyyy"), ("month", "MM"), ("day", "dd"), ("hour", "HH"), ("minute", "mm")];

#[derive(Debug)]
struct EventTime {
    column: Placed<String>,
    parts: Vec<(&'static str, &'static str)>,
    as_text: bool,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.need_text("column");
    let as_text = fields.choice("style", &["number", "text"]).is_some_and(|style| style.value == "text");
    let mut parts = Vec::new();
    for name in fields.names("parts") {
        match PARTS.iter().find(|(part, _)| *part == name.value) {
            Some(part) => parts.push(*part),
            None => {
                let error = Error::invalid(format!("`{}` is no part of a time", name.value));
                fields.wrong(
                    &name.span,
                    error.hint(nearest_hint(&name.value, PARTS.iter().map(|(part, _)| *part))),
                );
            }
        }
    }
    if parts.is_empty() {
        parts.extend(PARTS.iter().take(4));
    }
    fields.is_good().then_some(())?;
    Some(Box::new(EventTime { column: column?, parts, as_text }))
}

impl Operation for EventTime {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let (time, nothing) = event_time(&self.column, cx)?;
        if let Some((part, _)) = self.parts.iter().find(|(part, _)| same_name(part, &self.column.value)) {
            let error = Error::invalid(format!("`{part}` would replace the column that it is taken from"));
            cx.wrong(&self.column.span, error.hint("rename the column before"));
            return None;
        }
        let columns = cx.columns()?;
        let is_part = |name: &str| self.parts.iter().any(|(part, _)| same_name(part, name));
        let mut items: Vec<String> = columns.names().filter(|name| !is_part(name)).map(quote_ident).collect();
        for (part, letters) in &self.parts {
            items.push(match self.as_text {
                true => format!("format_datetime({time}, '{letters}') AS {}", quote_ident(part)),
                false => format!("CAST({part}({time}) AS integer) AS {}", quote_ident(part)),
            });
        }
        let reject = Reject {
            condition: nothing,
            column: self.column.value.clone(),
            reason: "the row has no event time".to_owned(),
        };
        cx.query(query::select(&items, &cx.relation().name), vec![reject])
    }

    fn script(&self, out: &mut Script<'_>) {
        out.line(&format!("{}DF = {}.toDF()", out.var(), out.input(0)));
        let frame = format!("{}DF", out.var());
        let time = format!("SqlFuncs.to_timestamp(SqlFuncs.col({}))", py::text(&self.column.value));
        for (part, letters) in &self.parts {
            let value = match self.as_text {
                true => format!("SqlFuncs.date_format({time}, \"{letters}\")"),
                false => match *part {
                    "day" => format!("SqlFuncs.dayofmonth({time})"),
                    other => format!("SqlFuncs.{other}({time})"),
                },
            };
            out.line(&format!("{frame} = {frame}.withColumn(\"{part}\", {value})"));
        }
        out.assign_frame(&frame);
    }
}
