//! RenameField: one column gets another name.

use super::{Context, Kind, Operation};
use crate::columns::same_name;
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind::transform("RenameField", read);

#[derive(Debug)]
struct RenameField {
    from: Placed<String>,
    to: Placed<String>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let from = fields.need_path("SourcePath").and_then(|path| fields.plain(path));
    let to = fields.need_path("TargetPath").and_then(|path| fields.plain(path));
    Some(Box::new(RenameField { from: from?, to: to? }))
}

impl Operation for RenameField {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let (from, to) = (&self.from.value, &self.to.value);
        cx.column(from, &self.from.span)?;
        let columns = cx.columns()?;
        if columns.find(to).is_some() && !same_name(from, to) {
            let error = Error::invalid(format!("there is a column `{to}` already at `{}`", cx.id));
            cx.wrong(&self.to.span, error.hint("drop it before, or choose another name"));
            return None;
        }
        let items: Vec<String> = columns
            .names()
            .map(|name| match same_name(name, from) {
                true => format!("{} AS {}", quote_ident(name), quote_ident(to)),
                false => quote_ident(name),
            })
            .collect();
        cx.query(query::select(&items, &cx.relation().name), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let old = py::text(&py::dotted_name(&self.from.value));
        let new = py::text(&py::dotted_name(&self.to.value));
        let frame = format!("frame={}", out.input(0));
        out.assign_call("RenameField.apply", &[frame, format!("old_name={old}"), format!("new_name={new}")]);
    }
}
