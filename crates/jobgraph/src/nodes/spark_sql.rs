//! SparkSQL: a query of the user over the inputs, by their aliases.

use super::{Context, Kind, Operation, UserText};
use crate::columns::same_name;
use crate::fields::Fields;
use crate::script::{Helper, Script, py};
use crate::step::{QueryStep, Relation, Step};
use crate::text::Placed;
use model::{Error, nearest_hint};

pub(super) const KIND: Kind = Kind { inputs: (1, usize::MAX), ..Kind::transform("SparkSQL", read) };

#[derive(Debug)]
struct SparkSql {
    query: Placed<String>,
    aliases: Vec<(Placed<String>, Placed<String>)>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let query = fields.need_text("SqlQuery");
    let aliases: Vec<(Placed<String>, Placed<String>)> = fields.each("SqlAliases", "an alias", |one| {
        let (from, alias) = (one.need_text("From"), one.need_text("Alias"));
        Some((from?, alias?))
    });
    fields.ignore(&["OutputSchemas"]);
    for (index, (_, alias)) in aliases.iter().enumerate() {
        if aliases.iter().take(index).any(|(_, before)| same_name(&before.value, &alias.value)) {
            fields.wrong(&alias.span, Error::invalid(format!("the alias `{}` is given twice", alias.value)));
        }
    }
    fields.is_good().then_some(())?;
    Some(Box::new(SparkSql { query: query?, aliases }))
}

impl SparkSql {
    /// The inputs by their aliases; an input without one goes by its id.
    fn relations(&self, cx: &Context<'_>) -> Option<Vec<Relation>> {
        let ids: Vec<&str> = cx.inputs.iter().map(|input| input.relation.node.as_str()).collect();
        for (from, _) in &self.aliases {
            if !ids.contains(&from.value.as_str()) {
                let message = format!("`{}` is no input of `{}`", from.value, cx.id);
                cx.wrong(
                    &from.span,
                    Error::invalid(message).hint(nearest_hint(&from.value, ids.iter().copied())),
                );
                return None;
            }
        }
        let alias = |id: &str| {
            self.aliases.iter().find(|(from, _)| from.value == id).map(|(_, alias)| alias.value.clone())
        };
        let named = |input: &super::Input| Relation {
            name: alias(&input.relation.node).unwrap_or_else(|| input.relation.name.clone()),
            ..input.relation.clone()
        };
        Some(cx.inputs.iter().map(named).collect())
    }
}

impl Operation for SparkSql {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let inputs = self.relations(cx)?;
        let translated = cx.translated(&self.query)?;
        let sql = translated.text.clone();
        cx.user_text = Some(UserText { begins: 0, translated, written: self.query.clone() });
        Some(Step::Query(QueryStep { sql, inputs, rejects: vec![] }))
    }

    fn script(&self, out: &mut Script<'_>) {
        out.helper(Helper::SqlQuery);
        let query = format!("{}_query", out.var());
        out.line(&format!("{query} = {}", py::long_text(&self.query.value)));
        let mapping: Vec<String> = (0..out.input_count())
            .map(|at| {
                let id = out.input_id(at);
                let alias = self
                    .aliases
                    .iter()
                    .find(|(from, _)| from.value == id)
                    .map_or(id, |(_, alias)| alias.value.as_str());
                format!("{}: {}", py::text(alias), out.input(at))
            })
            .collect();
        out.assign_call(
            "sparkSqlQuery",
            &[
                "glueContext".to_owned(),
                format!("query={query}"),
                format!("mapping={{{}}}", mapping.join(", ")),
            ],
        );
    }
}
