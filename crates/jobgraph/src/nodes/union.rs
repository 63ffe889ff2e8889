//! Union: the rows of two inputs. Columns are matched by name where both sides have the same names, or else by
//! position, as Spark does.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::query;
use crate::script::{Helper, Script};
use crate::step::Step;
use crate::text::Span;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind = Kind { inputs: (2, 2), ..Kind::transform("Union", read) };

#[derive(Debug)]
struct Union {
    all: bool,
    span: Span,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let kind = fields.need_choice("UnionType", &["ALL", "DISTINCT"])?;
    Some(Box::new(Union { all: kind.value == "ALL", span: kind.span }))
}

/// The list of the second input's columns in the order of the first's, if both have the same names.
pub(super) fn by_name(cx: &Context<'_>) -> Option<String> {
    let columns = |at: usize| cx.inputs.get(at).and_then(|input| input.columns.as_ref());
    let (a, b) = (columns(0)?, columns(1)?);
    let same = a.len() == b.len() && a.names().all(|name| b.find(name).is_some());
    same.then(|| query::list(a.names()))
}

/// Whether rows of the one input can stand below the other's.
pub(super) fn check_columns(cx: &Context<'_>, span: &Span) -> bool {
    let columns = |at: usize| cx.inputs.get(at).and_then(|input| input.columns.as_ref());
    let (Some(a), Some(b)) = (columns(0), columns(1)) else { return true };
    let id = |at: usize| cx.inputs.get(at).map_or("", |input| input.relation.node.as_str());
    if a.len() != b.len() {
        let only: Vec<&str> = a
            .names()
            .filter(|n| b.find(n).is_none())
            .chain(b.names().filter(|n| a.find(n).is_none()))
            .collect();
        let message = format!("`{}` has {} columns and `{}` has {}", id(0), a.len(), id(1), b.len());
        let error = Error::invalid(message).why(format!("only one of them has `{}`", only.join("`, `")));
        cx.wrong(span, error.hint("bring both into one form with SelectFields or ApplyMapping nodes before"));
        return false;
    }
    let named = by_name(cx).is_some();
    for (position, x) in a.iter().enumerate() {
        let y = if named { b.find(&x.name) } else { b.iter().nth(position) };
        let Some(y) = y else { continue };
        if sql::common_type(&x.sql_type, &y.sql_type).is_none() {
            let message = format!(
                "`{}` is {} in `{}`, but `{}` is {} in `{}`",
                x.name,
                x.sql_type,
                id(0),
                y.name,
                y.sql_type,
                id(1)
            );
            cx.wrong(span, Error::invalid(message).hint("cast one of them in an ApplyMapping node before"));
            return false;
        }
    }
    true
}

impl Operation for Union {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        check_columns(cx, &self.span).then_some(())?;
        let name =
            |at: usize| cx.inputs.get(at).map_or_else(String::new, |input| quote_ident(&input.relation.name));
        let list = by_name(cx).unwrap_or_else(|| "*".to_owned());
        let words = if self.all { "UNION ALL" } else { "UNION" };
        cx.query(format!("SELECT {list} FROM {} {words} SELECT {list} FROM {}", name(0), name(1)), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        out.helper(Helper::Union);
        let kind = if self.all { "ALL" } else { "DISTINCT" };
        let mapping = format!("mapping={{\"source1\": {}, \"source2\": {}}}", out.input(0), out.input(1));
        out.assign_call("sparkUnion", &["glueContext".to_owned(), format!("unionType=\"{kind}\""), mapping]);
    }
}
