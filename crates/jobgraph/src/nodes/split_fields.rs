//! SplitFields: a collection of two: the named columns, and the others.

use super::route::member_relation;
use super::{Context, Kind, Operation, drop_fields};
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::{Collection, Member, Step};
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind { makes_collection: true, ..Kind::transform("SplitFields", read) };

#[derive(Debug)]
struct SplitFields {
    columns: Vec<Placed<String>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.need_items("Paths");
    let columns = fields.plain_columns("Paths");
    fields.is_good().then(|| Box::new(SplitFields { columns }) as Box<dyn Operation>)
}

impl Operation for SplitFields {
    fn needs_columns(&self) -> bool {
        true
    }

    fn members(&self) -> usize {
        2
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        for column in &self.columns {
            cx.column(&column.value, &column.span);
        }
        let input = cx.relation();
        let others = drop_fields::without(cx.columns()?, &self.columns);
        if others.is_empty() {
            cx.wrong(cx.span, Error::invalid(format!("`{}` leaves no column for its second output", cx.id)));
            return None;
        }
        let lists = [query::list(self.columns.iter().map(|column| &column.value)), query::list(others)];
        let members = lists
            .into_iter()
            .enumerate()
            .map(|(index, list)| Member {
                name: format!("{}{}", cx.id, index + 1),
                sql: format!("SELECT {list} FROM {}", quote_ident(&input.name)),
                relation: member_relation(cx.id, index),
            })
            .collect();
        Some(Step::Collection(Collection { input, members }))
    }

    fn script(&self, out: &mut Script<'_>) {
        let paths = py::list(self.columns.iter().map(|column| py::dotted_name(&column.value)));
        let names = [format!("{}1", out.var()), format!("{}2", out.var())];
        let [one, two] = names.map(|name| py::text(&name));
        let arguments = [
            format!("frame={}", out.input(0)),
            format!("paths={paths}"),
            format!("name1={one}"),
            format!("name2={two}"),
        ];
        out.assign_call("SplitFields.apply", &arguments);
    }
}
