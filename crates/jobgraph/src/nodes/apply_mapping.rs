//! ApplyMapping (Glue Studio: Change schema): columns chosen, renamed and cast. A value whose cast fails is not lost:
//! its row is rejected with the reason. Blank texts are missing values and become NULL.

use super::{Context, Kind, Operation};
use crate::columns::{Columns, same_name};
use crate::fields::{ColumnPath, Fields};
use crate::query;
use crate::script::{Script, py};
use crate::step::{Reject, Step};
use crate::text::Placed;
use crate::types;
use model::{Error, nearest_hint};
use sql::{SqlType, quote_ident};

pub(super) const KIND: Kind = Kind::transform("ApplyMapping", read);

#[derive(Debug)]
struct ApplyMapping {
    mappings: Vec<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    from: Placed<ColumnPath>,
    from_type: Option<Placed<String>>,
    to: Placed<String>,
    to_type: Option<(String, SqlType)>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.need_items("Mapping");
    let mappings: Vec<Mapping> = fields.each("Mapping", "a mapping", mapping).into_iter().flatten().collect();
    for (index, mapping) in mappings.iter().enumerate() {
        if mappings.iter().take(index).any(|before| same_name(&before.to.value, &mapping.to.value)) {
            let message = format!("two mappings make the column `{}`", mapping.to.value);
            fields.wrong(&mapping.to.span, Error::invalid(message).hint("give each its own `ToKey`"));
        }
    }
    fields.is_good().then(|| Box::new(ApplyMapping { mappings }) as Box<dyn Operation>)
}

/// A mapping; nothing inside for a dropped column.
fn mapping(fields: &Fields<'_>) -> Option<Option<Mapping>> {
    let from = fields.need_path("FromPath");
    let from_type = fields.text("FromType");
    let to = fields.text("ToKey");
    let to_type = fields.text("ToType");
    if fields.flag("Dropped") == Some(true) {
        return Some(None);
    }
    if let Some(first) = fields.items("Children").first() {
        let error = Error::unsupported("mappings with `Children` are not supported");
        fields.wrong(&first.span, error.hint("map each field by its own path: `FromPath: [parent, child]`"));
    }
    let from = from?;
    if let Some(said) = &from_type {
        glue_type(fields, said);
    }
    let to_type = match to_type {
        None => None,
        Some(said) => match said.value.to_lowercase().as_str() {
            "array" | "map" | "struct" => None,
            _ => Some((said.value.clone(), glue_type(fields, &said)?)),
        },
    };
    let last = from.value.parts.last().cloned().unwrap_or_default();
    let to = to.unwrap_or_else(|| Placed::new(last, from.span.clone()));
    Some(Some(Mapping { from, from_type, to, to_type }))
}

fn glue_type(fields: &Fields<'_>, said: &Placed<String>) -> Option<SqlType> {
    let nested = ["array", "map", "struct", "choice", "null"].contains(&said.value.to_lowercase().as_str());
    let found = types::of_glue(&said.value);
    if found.is_none() && !nested {
        let error = Error::invalid(format!("`{}` is no type", said.value));
        fields.wrong(&said.span, error.hint(nearest_hint(&said.value, types::NAMES.iter().copied())));
    }
    found
}

impl Operation for ApplyMapping {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let mut items = Vec::new();
        let mut rejects = Vec::new();
        for mapping in &self.mappings {
            let actual = cx.type_of(&mapping.from);
            self.check_type(mapping, actual.as_ref(), cx);
            let said = mapping.from_type.as_ref().and_then(|said| types::of_glue(&said.value));
            let from = actual.or(said);
            let expr = query::path(&mapping.from.value);
            let Some((name, to)) = &mapping.to_type else {
                items.push(format!("{expr} AS {}", quote_ident(&mapping.to.value)));
                continue;
            };
            let cast = types::cast(&expr, from.as_ref(), to);
            if cast.can_fail {
                rejects.push(Reject {
                    condition: types::cast_failed(&expr, &cast.sql, from.as_ref()),
                    column: mapping.from.value.dotted(),
                    reason: format!("the value is no {name}"),
                });
            }
            items.push(format!("{} AS {}", cast.sql, quote_ident(&mapping.to.value)));
        }
        cx.query(query::select(&items, &cx.relation().name), rejects)
    }

    fn columns(&self) -> Option<Columns> {
        self.mappings.iter().map(|m| Some((m.to.value.clone(), m.to_type.as_ref()?.1.clone()))).collect()
    }

    fn script(&self, out: &mut Script<'_>) {
        let mappings: Vec<String> = self
            .mappings
            .iter()
            .map(|m| {
                let from_type = m.from_type.as_ref().map_or("string", |said| said.value.as_str());
                let to_type = m.to_type.as_ref().map_or(from_type, |(name, _)| name.as_str());
                let from =
                    m.from.value.parts.iter().map(|part| py::dotted_name(part)).collect::<Vec<_>>().join(".");
                format!(
                    "({}, {}, {}, {})",
                    py::text(&from),
                    py::text(from_type),
                    py::text(&py::dotted_name(&m.to.value)),
                    py::text(to_type)
                )
            })
            .collect();
        let mappings = format!("mappings=[\n        {},\n    ]", mappings.join(",\n        "));
        out.assign_call("ApplyMapping.apply", &[format!("frame={}", out.input(0)), mappings]);
    }
}

impl ApplyMapping {
    fn check_type(&self, mapping: &Mapping, actual: Option<&SqlType>, cx: &Context<'_>) {
        let (Some(actual), Some(said)) = (actual, &mapping.from_type) else { return };
        if types::contradicts(&said.value, actual) {
            let name = mapping.from.value.dotted();
            let error = Error::invalid(format!(
                "`{name}` is {actual} here, but the mapping takes it for {}",
                said.value
            ))
            .why("Glue would give NULL for every row")
            .hint("say the type that the column has in `FromType`; `ToType` says what it becomes");
            cx.wrong(&said.span, error);
        }
    }
}
