//! SelectFields: some of the columns.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind::transform("SelectFields", read);

#[derive(Debug)]
struct SelectFields {
    columns: Vec<Placed<String>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.need_items("Paths");
    let columns = fields.plain_columns("Paths");
    fields.is_good().then(|| Box::new(SelectFields { columns }) as Box<dyn Operation>)
}

impl Operation for SelectFields {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        for column in &self.columns {
            cx.column(&column.value, &column.span);
        }
        let list = query::list(self.columns.iter().map(|column| &column.value));
        cx.query(format!("SELECT {list} FROM {}", quote_ident(&cx.relation().name)), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let paths = py::list(self.columns.iter().map(|column| py::dotted_name(&column.value)));
        out.assign_call("SelectFields.apply", &[format!("frame={}", out.input(0)), format!("paths={paths}")]);
    }
}
