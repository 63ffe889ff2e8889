//! DropDuplicates: rows that are equal, wholly or in some columns, come once.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind::transform("DropDuplicates", read);

#[derive(Debug)]
struct DropDuplicates {
    columns: Vec<Placed<String>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let columns = fields.plain_columns("Columns");
    fields.is_good().then(|| Box::new(DropDuplicates { columns }) as Box<dyn Operation>)
}

impl Operation for DropDuplicates {
    fn needs_columns(&self) -> bool {
        !self.columns.is_empty()
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let from = quote_ident(&cx.relation().name);
        if self.columns.is_empty() {
            return cx.query(format!("SELECT DISTINCT * FROM {from}"), vec![]);
        }
        for column in &self.columns {
            cx.column(&column.value, &column.span);
        }
        let all = query::list(cx.columns()?.names());
        let keys = query::list(self.columns.iter().map(|column| &column.value));
        cx.query(
            format!(
                "SELECT {all} FROM (SELECT *, row_number() OVER (PARTITION BY {keys}) AS \"glulam row number\" \
                 FROM {from}) AS numbered WHERE \"glulam row number\" = 1"
            ),
            vec![],
        )
    }

    fn script(&self, out: &mut Script<'_>) {
        let columns = match self.columns.is_empty() {
            true => String::new(),
            false => py::list(self.columns.iter().map(|column| &column.value)),
        };
        out.assign_frame(&format!("{}.toDF().dropDuplicates({columns})", out.input(0)));
    }
}
