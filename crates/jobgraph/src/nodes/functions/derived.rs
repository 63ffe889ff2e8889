//! gs_derived: a column from an expression; a column of that name is replaced.

use crate::fields::Fields;
use crate::nodes::{Context, Operation, UserText};
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;

#[derive(Debug)]
struct Derived {
    name: Placed<String>,
    expr: Placed<String>,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let (name, expr) = (fields.need_text("colName"), fields.need_text("expr"));
    Some(Box::new(Derived { name: name?, expr: expr? }))
}

impl Operation for Derived {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let translated = cx.translated(&self.expr)?;
        let expr = format!("({})", translated.text.trim());
        let items = query::with_column(cx.columns()?, &self.name.value, &expr);
        let sql = query::select(&items, &cx.relation().name);
        let begins = sql.find(&expr).map_or(0, |at| at + 1);
        // Spaces before the expression were cut off.
        let cut = translated.text.len() - translated.text.trim_start().len();
        if begins >= cut {
            cx.user_text = Some(UserText { begins: begins - cut, translated, written: self.expr.clone() });
        }
        cx.query(sql, vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let arguments = [
            format!("colName={}", py::text(&self.name.value)),
            format!("expr={}", py::text(&self.expr.value)),
        ];
        out.assign_method("gs_derived", &arguments);
    }
}
