//! Shows an expression's tree with all of its structure, so that a test can say what it expects in one line.

use sql::Statement;
use sqlparser::ast::{
    AccessExpr, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, OneOrManyWithParens, OrderByExpr, Query, SelectItem, SetExpr, Subscript, WindowType,
};

pub(crate) fn query(text: &str) -> Query {
    match sql::parse_one(text, "test").unwrap_or_else(|e| panic!("{text}\n{}", e.diagnosis())) {
        Statement::Query(query) => *query,
        other => panic!("{other:?}"),
    }
}

/// The tree of the only item of `SELECT text`.
pub(crate) fn expression(text: &str) -> String {
    let query = query(&format!("SELECT {text}"));
    let SetExpr::Select(select) = *query.body else { panic!("{text}") };
    assert_eq!(select.projection.len(), 1, "{text}");
    match &select.projection[0] {
        SelectItem::UnnamedExpr(expr) => tree(expr),
        other => panic!("{text}: {other:?}"),
    }
}

fn all(exprs: &[Expr]) -> String {
    exprs.iter().map(tree).collect::<Vec<_>>().join(" ")
}

fn type_text(data_type: &DataType) -> String {
    sql::type_of(data_type).unwrap().to_string()
}

pub(crate) fn tree(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(i) => i.to_string(),
        Expr::CompoundIdentifier(parts) => {
            parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
        }
        Expr::Value(v) => v.to_string(),
        Expr::Nested(e) => format!("[{}]", tree(e)),
        Expr::BinaryOp { left, op, right } => format!("({op} {} {})", tree(left), tree(right)),
        Expr::UnaryOp { op, expr } => format!("({op} {})", tree(expr)),
        Expr::Tuple(v) => format!("(row {})", all(v)),
        Expr::Array(a) => format!("(array {})", all(&a.elem)),
        Expr::Cast { kind, expr, data_type, .. } => {
            format!("({kind:?} {} {})", tree(expr), type_text(data_type))
        }
        Expr::TypedString(t) => format!("({} {})", type_text(&t.data_type), t.value),
        Expr::IsNull(e) => format!("(null? {})", tree(e)),
        Expr::IsNotNull(e) => format!("(not-null? {})", tree(e)),
        Expr::IsDistinctFrom(a, b) => format!("(distinct {} {})", tree(a), tree(b)),
        Expr::IsNotDistinctFrom(a, b) => format!("(not-distinct {} {})", tree(a), tree(b)),
        Expr::Between { expr, negated, low, high } => {
            format!(
                "(between{} {} {} {})",
                if *negated { "!" } else { "" },
                tree(expr),
                tree(low),
                tree(high)
            )
        }
        Expr::InList { expr, list, negated } => {
            format!("(in{} {} {})", if *negated { "!" } else { "" }, tree(expr), all(list))
        }
        Expr::InSubquery { expr, subquery, negated } => {
            format!("(in{} {} {{{subquery}}})", if *negated { "!" } else { "" }, tree(expr))
        }
        Expr::Like { negated, expr, pattern, escape_char, .. } => {
            let escape = escape_char.as_ref().map(|e| format!(" {e}")).unwrap_or_default();
            format!("(like{} {} {}{escape})", if *negated { "!" } else { "" }, tree(expr), tree(pattern))
        }
        Expr::AnyOp { left, compare_op, right, .. } => {
            format!("(any {compare_op} {} {})", tree(left), tree(right))
        }
        Expr::AllOp { left, compare_op, right } => {
            format!("(all {compare_op} {} {})", tree(left), tree(right))
        }
        Expr::Subquery(q) => format!("{{{q}}}"),
        Expr::Exists { subquery, .. } => format!("(exists {{{subquery}}})"),
        Expr::AtTimeZone { timestamp, time_zone } => {
            format!("(at-zone {} {})", tree(timestamp), tree(time_zone))
        }
        Expr::Extract { field, expr, .. } => format!("(extract {field} {})", tree(expr)),
        Expr::Interval(i) => i.to_string(),
        Expr::Case { .. } => case(expr),
        Expr::Lambda(l) => {
            let params = match &l.params {
                OneOrManyWithParens::One(p) => p.name.to_string(),
                OneOrManyWithParens::Many(many) => {
                    format!("({})", many.iter().map(|p| p.name.to_string()).collect::<Vec<_>>().join(" "))
                }
            };
            format!("(fn {params} {})", tree(&l.body))
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            let links: Vec<String> = access_chain.iter().map(link).collect();
            format!("(access {} {})", tree(root), links.join(" "))
        }
        Expr::Function(f) => call(f),
        other => panic!("a shape that is not documented: {other:?}"),
    }
}

fn case(expr: &Expr) -> String {
    let Expr::Case { operand, conditions, else_result, .. } = expr else { panic!("{expr}") };
    let mut text = "(case".to_owned();
    if let Some(operand) = operand {
        text += &format!(" {}", tree(operand));
    }
    for when in conditions {
        text += &format!(" {}=>{}", tree(&when.condition), tree(&when.result));
    }
    if let Some(otherwise) = else_result {
        text += &format!(" else {}", tree(otherwise));
    }
    text + ")"
}

fn link(access: &AccessExpr) -> String {
    match access {
        AccessExpr::Dot(field) => format!(".{}", tree(field)),
        AccessExpr::Subscript(Subscript::Index { index }) => format!("[{}]", tree(index)),
        AccessExpr::Subscript(other) => panic!("{other:?}"),
    }
}

fn sorted(items: &[OrderByExpr]) -> String {
    items.iter().map(|item| format!("{}{}", tree(&item.expr), item.options)).collect::<Vec<_>>().join(" ")
}

fn call(f: &Function) -> String {
    let mut text = format!("{}", f.name);
    match &f.args {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(q) => text += &format!("({{{q}}})"),
        FunctionArguments::List(list) => {
            let mut args: Vec<String> = list.args.iter().map(argument).collect();
            args.extend(list.duplicate_treatment.iter().map(ToString::to_string));
            for clause in &list.clauses {
                args.push(match clause {
                    FunctionArgumentClause::OrderBy(items) => format!("order {}", sorted(items)),
                    other => other.to_string(),
                });
            }
            text += &format!("({})", args.join(", "));
        }
    }
    if !f.within_group.is_empty() {
        text += &format!(" within({})", sorted(&f.within_group));
    }
    if let Some(filter) = &f.filter {
        text += &format!(" filter({})", tree(filter));
    }
    if let Some(nulls) = &f.null_treatment {
        text += &format!(" {nulls}");
    }
    match &f.over {
        None => {}
        Some(WindowType::NamedWindow(name)) => text += &format!(" over {name}"),
        Some(WindowType::WindowSpec(spec)) => text += &format!(" over({spec})"),
    }
    text
}

fn argument(arg: &FunctionArg) -> String {
    let value = |arg: &FunctionArgExpr| match arg {
        FunctionArgExpr::Expr(e) => tree(e),
        other => other.to_string(),
    };
    match arg {
        FunctionArg::Unnamed(arg) => value(arg),
        FunctionArg::Named { name, arg, .. } => format!("{}=>{}", name.value, value(arg)),
        FunctionArg::ExprNamed { .. } => panic!("{arg}"),
    }
}
