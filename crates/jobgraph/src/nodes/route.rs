//! Route: rows go into groups by conditions; a row may go into several, and what fits none goes into `default_group`.
//! A SelectFromCollection node takes one of them: the groups in their order, the default last.

use super::filter::Condition;
use super::{Context, Kind, Operation, filter};
use crate::fields::Fields;
use crate::script::{Script, py};
use crate::step::{Collection, Member, Step};
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind { makes_collection: true, ..Kind::transform("Route", read) };

#[derive(Debug)]
struct Route {
    groups: Vec<(Placed<String>, Condition)>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.need_items("GroupFiltersList");
    let groups: Vec<(Placed<String>, Condition)> = fields.each("GroupFiltersList", "a group", |group| {
        let name = group.need_text("GroupName");
        let condition = filter::condition(group);
        Some((name?, condition))
    });
    for (index, (name, _)) in groups.iter().enumerate() {
        if groups.iter().take(index).any(|(before, _)| before.value == name.value) {
            fields.wrong(&name.span, Error::invalid(format!("two groups are named `{}`", name.value)));
        }
    }
    fields.is_good().then(|| Box::new(Route { groups }) as Box<dyn Operation>)
}

/// The name under which one output of a collection is read. Ids of nodes have no `#`.
pub(super) fn member_relation(node: &str, index: usize) -> String {
    format!("{node}#{index}")
}

impl Operation for Route {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let input = cx.relation();
        let from = quote_ident(&input.name);
        let conditions: Vec<String> = self.groups.iter().map(|(_, condition)| condition.sql(cx)).collect();
        let mut members: Vec<Member> = Vec::new();
        for ((name, _), condition) in self.groups.iter().zip(&conditions) {
            members.push(Member {
                name: name.value.clone(),
                sql: format!("SELECT * FROM {from} WHERE {condition}"),
                relation: member_relation(cx.id, members.len()),
            });
        }
        let none: Vec<String> = conditions.iter().map(|c| format!("NOT coalesce({c}, false)")).collect();
        members.push(Member {
            name: "default_group".to_owned(),
            sql: format!("SELECT * FROM {from} WHERE {}", none.join(" AND ")),
            relation: member_relation(cx.id, members.len()),
        });
        Some(Step::Collection(Collection { input, members }))
    }

    fn members(&self) -> usize {
        self.groups.len() + 1
    }

    fn script(&self, out: &mut Script<'_>) {
        if self.groups.iter().any(|(_, condition)| condition.has_regex()) {
            out.import("import re");
        }
        let frame = out.input(0).to_owned();
        let filtered = |test: &str| format!("Filter.apply(frame={frame}, f=lambda row: ({test}))");
        let mut members: Vec<String> = self
            .groups
            .iter()
            .map(|(name, condition)| format!("{}: {}", py::text(&name.value), filtered(&condition.python())))
            .collect();
        let none: Vec<String> = self.groups.iter().map(|(_, c)| format!("not ({})", c.python())).collect();
        members.push(format!("\"default_group\": {}", filtered(&none.join(" and "))));
        out.assign_collection(&members);
    }
}
