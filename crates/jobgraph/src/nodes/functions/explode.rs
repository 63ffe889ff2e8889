//! gs_explode: a row for each element of an array, or for each entry of a map.

use crate::columns::same_name;
use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use model::Error;
use sql::{SqlType, quote_ident};

#[derive(Debug)]
struct Explode {
    column: Placed<String>,
    names: Vec<Placed<String>>,
    outer: bool,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.need_text("colName");
    fields.need_text("newCol");
    let names = fields.names("newCol");
    let outer = fields.flag("outer").unwrap_or(false);
    fields.is_good().then_some(())?;
    Some(Box::new(Explode { column: column?, names, outer }))
}

impl Operation for Explode {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let found = cx.column(&self.column.value, &self.column.span)?;
        let wanted = match &found.sql_type {
            SqlType::Array(_) => 1,
            SqlType::Map(..) => 2,
            other => {
                let error =
                    Error::invalid(format!("`{}` is {other}, which has no elements", self.column.value));
                cx.wrong(&self.column.span, error.hint("only arrays and maps can be exploded"));
                return None;
            }
        };
        if self.names.len() != wanted {
            let message = format!("{} names for the new columns, but {wanted} are needed", self.names.len());
            let span = self.names.first().map_or(&self.column.span, |name| &name.span);
            cx.wrong(
                span,
                Error::invalid(message).hint("an array makes one column, a map two: `key, value`"),
            );
            return None;
        }
        // Elements get names that no column has, because one may be called like the exploded column.
        let inner: Vec<String> = (0..wanted).map(|index| format!("glulam_element_{index}")).collect();
        let kept =
            cx.columns()?.names().filter(|name| !self.names.iter().any(|new| same_name(&new.value, name)));
        let mut items: Vec<String> = kept.map(quote_ident).collect();
        items.extend(
            self.names
                .iter()
                .zip(&inner)
                .map(|(name, inner)| format!("{inner} AS {}", quote_ident(&name.value))),
        );
        let join = if self.outer { "LEFT JOIN" } else { "CROSS JOIN" };
        let on = if self.outer { " ON true" } else { "" };
        let (from, column) = (cx.relation().name, quote_ident(&self.column.value));
        let sql = query::select(&items, &from);
        cx.query(
            format!("{sql} {join} UNNEST({column}) AS glulam_elements ({}){on}", inner.join(", ")),
            vec![],
        )
    }

    fn script(&self, out: &mut Script<'_>) {
        let names: Vec<&str> = self.names.iter().map(|name| name.value.as_str()).collect();
        let mut arguments = vec![
            format!("colName={}", py::text(&self.column.value)),
            format!("newCol={}", py::text(&names.join(","))),
        ];
        if self.outer {
            arguments.push("outer=True".to_owned());
        }
        out.assign_method("gs_explode", &arguments);
    }
}
