//! DropFields: all columns but some.

use super::{Context, Kind, Operation};
use crate::columns::{Columns, same_name};
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind::transform("DropFields", read);

#[derive(Debug)]
struct DropFields {
    columns: Vec<Placed<String>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.need_items("Paths");
    let columns = fields.plain_columns("Paths");
    fields.is_good().then(|| Box::new(DropFields { columns }) as Box<dyn Operation>)
}

/// The names of the columns that are not among these.
pub(super) fn without<'c>(columns: &'c Columns, dropped: &[Placed<String>]) -> Vec<&'c str> {
    columns.names().filter(|name| !dropped.iter().any(|d| same_name(&d.value, name))).collect()
}

impl Operation for DropFields {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        for column in &self.columns {
            cx.column(&column.value, &column.span);
        }
        let kept = without(cx.columns()?, &self.columns);
        if kept.is_empty() {
            cx.wrong(cx.span, Error::invalid(format!("`{}` drops every column", cx.id)));
            return None;
        }
        cx.query(format!("SELECT {} FROM {}", query::list(kept), quote_ident(&cx.relation().name)), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let paths = py::list(self.columns.iter().map(|column| py::dotted_name(&column.value)));
        out.assign_call("DropFields.apply", &[format!("frame={}", out.input(0)), format!("paths={paths}")]);
    }
}
