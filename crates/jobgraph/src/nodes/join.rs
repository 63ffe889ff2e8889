//! Join: two inputs by equal keys. Keys of one name come once; other columns of one name must be renamed before.

use super::{Context, Kind, Operation};
use crate::columns::same_name;
use crate::fields::Fields;
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::{Placed, Span};
use model::{Error, nearest_hint};
use sql::quote_ident;

pub(super) const KIND: Kind = Kind { inputs: (2, 2), ..Kind::transform("Join", read) };

const TYPES: &[&str] = &["equijoin", "left", "right", "outer", "leftsemi", "leftanti"];

#[derive(Debug)]
struct Join {
    kind: &'static str,
    sides: Vec<Side>,
    span: Span,
}

#[derive(Debug)]
struct Side {
    from: Placed<String>,
    keys: Vec<Placed<String>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let kind = fields.need_choice("JoinType", TYPES);
    let count = fields.need_items("Columns").len();
    let sides = fields.each("Columns", "a side", |side| {
        let from = side.need_text("From");
        side.need_items("Keys");
        let keys = side.plain_columns("Keys");
        Some(Side { from: from?, keys })
    });
    if count != 2 && count > 0 {
        let error =
            Error::invalid(format!("`Columns` of {} has {count} sides, but a join has two", fields.owner()));
        fields.wrong(&fields.span, error.hint("write one `{From: id, Keys: [[column]]}` for each input"));
    }
    if let [left, right] = sides.as_slice()
        && left.keys.len() != right.keys.len()
    {
        let message = format!("{} keys on one side and {} on the other", left.keys.len(), right.keys.len());
        fields.wrong(&right.from.span, Error::invalid(message).hint("keys are compared pair by pair"));
    }
    if !fields.is_good() {
        return None;
    }
    let kind = kind?;
    Some(Box::new(Join { kind: kind.value, span: kind.span, sides }))
}

impl Join {
    /// The keys of the inputs, in the inputs' order.
    fn keys<'j>(&'j self, cx: &Context<'_>) -> Option<[&'j [Placed<String>]; 2]> {
        let ids: Vec<&str> = cx.inputs.iter().map(|input| input.relation.node.as_str()).collect();
        for side in &self.sides {
            if !ids.contains(&side.from.value.as_str()) {
                let message = format!("`{}` is no input of `{}`", side.from.value, cx.id);
                cx.wrong(
                    &side.from.span,
                    Error::invalid(message).hint(nearest_hint(&side.from.value, ids.iter().copied())),
                );
                return None;
            }
        }
        let of =
            |id: &str| self.sides.iter().find(|side| side.from.value == id).map(|side| side.keys.as_slice());
        let (Some(left), Some(right)) = (of(ids.first()?), of(ids.get(1)?)) else {
            let error = Error::invalid("both sides of the join name the same input");
            cx.wrong(&self.sides.last()?.from.span, error);
            return None;
        };
        Some([left, right])
    }

    fn check_keys(&self, cx: &Context<'_>, [left, right]: [&[Placed<String>]; 2]) {
        for (a, b) in left.iter().zip(right) {
            let types = (cx.column_of(0, &a.value, &a.span), cx.column_of(1, &b.value, &b.span));
            if let (Some(x), Some(y)) = types
                && sql::common_type(&x.sql_type, &y.sql_type).is_none()
            {
                let message = format!(
                    "`{}` is {} and `{}` is {}: they are never equal",
                    a.value, x.sql_type, b.value, y.sql_type
                );
                cx.wrong(
                    &b.span,
                    Error::invalid(message).hint("cast one of them in an ApplyMapping node before"),
                );
            }
        }
    }

    /// Columns of both sides that are no common key would have one name.
    fn check_names(&self, cx: &Context<'_>, [left, right]: [&[Placed<String>]; 2]) {
        let columns = |at: usize| cx.inputs.get(at).and_then(|input| input.columns.as_ref());
        let (Some(a), Some(b)) = (columns(0), columns(1)) else { return };
        let is_common = |name: &str| {
            left.iter().zip(right).any(|(x, y)| same_name(&x.value, name) && same_name(&y.value, name))
        };
        let twice: Vec<&str> = b.names().filter(|name| a.find(name).is_some() && !is_common(name)).collect();
        if !twice.is_empty() {
            let message = format!("both sides of `{}` have a column `{}`", cx.id, twice.join("`, `"));
            let node = cx.inputs.get(1).map_or("", |input| input.relation.node.as_str());
            let hint = format!("rename or drop it behind `{node}`, with a RenameField or DropFields node");
            cx.wrong(&self.span, Error::invalid(message).hint(hint));
        }
    }
}

impl Operation for Join {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let keys = self.keys(cx)?;
        self.check_keys(cx, keys);
        let [left, right] = keys;
        let name =
            |at: usize| cx.inputs.get(at).map_or_else(String::new, |input| quote_ident(&input.relation.name));
        let (a, b) = (name(0), name(1));
        let pairs: Vec<String> = left
            .iter()
            .zip(right)
            .map(|(x, y)| format!("{b}.{} = {a}.{}", quote_ident(&y.value), quote_ident(&x.value)))
            .collect();
        let on = pairs.join(" AND ");
        if let "leftsemi" | "leftanti" = self.kind {
            let not = if self.kind == "leftanti" { "NOT " } else { "" };
            return cx.query(
                format!("SELECT * FROM {a} WHERE {not}EXISTS (SELECT 1 FROM {b} WHERE {on})"),
                vec![],
            );
        }
        self.check_names(cx, keys);
        let words = match self.kind {
            "left" => "LEFT JOIN",
            "right" => "RIGHT JOIN",
            "outer" => "FULL JOIN",
            _ => "JOIN",
        };
        let using = left.iter().zip(right).all(|(x, y)| same_name(&x.value, &y.value));
        let sql = if using {
            format!(
                "SELECT * FROM {a} {words} {b} USING ({})",
                query::list(left.iter().map(|key| &key.value))
            )
        } else {
            format!("SELECT * FROM {a} {words} {b} ON {on}")
        };
        cx.query(sql, vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let of = |id: &str| {
            let keys = self.sides.iter().find(|side| side.from.value == id).map(|side| &side.keys);
            keys.into_iter().flatten().map(|key| key.value.clone()).collect::<Vec<_>>()
        };
        let (left, right) = (of(out.input_id(0)), of(out.input_id(1)));
        let (a, b) = (out.input(0).to_owned(), out.input(1).to_owned());
        if self.kind == "equijoin" {
            let keys = [format!("keys1={}", py::list(&left)), format!("keys2={}", py::list(&right))];
            let [keys1, keys2] = keys;
            return out
                .assign_call("Join.apply", &[format!("frame1={a}"), format!("frame2={b}"), keys1, keys2]);
        }
        out.line(&format!("{a}DF = {a}.toDF()"));
        out.line(&format!("{b}DF = {b}.toDF()"));
        let same = left.iter().zip(&right).all(|(x, y)| same_name(x, y));
        let on = if same {
            py::list(&left)
        } else {
            let pairs: Vec<String> = left
                .iter()
                .zip(&right)
                .map(|(x, y)| format!("({a}DF[{}] == {b}DF[{}])", py::text(x), py::text(y)))
                .collect();
            pairs.join(" & ")
        };
        out.assign_frame(&format!("{a}DF.join({b}DF, {on}, \"{}\")", self.kind));
    }
}
