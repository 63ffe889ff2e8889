//! Expressions: names are found, types settled, casts written out.

mod call;
mod cast;
mod json;
mod lambda;
mod literal;
mod operator;
mod special;

pub(crate) use call::Parts;
pub(crate) use literal::is_null;
pub(crate) use operator::comparison as comparison_of;

use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::scope::{Env, Lookup, Scope};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Case, Expr};
use model::{Error, Result, nearest_hint};
use sql::{SqlType, common_type};
use sqlparser::ast::{AccessExpr, CaseWhen, Expr as Ast, Ident, Subscript, UnaryOperator};
use sqlparser::tokenizer::Span;
use std::sync::Arc;

/// An expression with its type.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) sql_type: SqlType,
}

impl Typed {
    pub(crate) fn new(expr: Expr, sql_type: SqlType) -> Self {
        Self { expr, sql_type }
    }

    /// The value if it is a literal.
    pub(crate) fn literal(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }
}

/// What a part of a condition has to say about which rows remain: the more, the less can be made of a subquery in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Filters {
    /// Nothing: it is a value.
    No,
    /// Something, by its truth: whether it is false or NULL makes a difference.
    Somehow,
    /// It lets rows pass where it is true; false and NULL are the same.
    Passes,
    /// As before, and no row passes where it does not.
    Decides,
}

/// What may stand in an expression at this place of the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'r> {
    /// What the place is called in errors.
    pub(crate) place: &'static str,
    pub(crate) aggregates: bool,
    pub(crate) windows: bool,
    /// Whether it decides which rows remain: there DataFusion turns subqueries to joins.
    pub(crate) filters: Filters,
    /// The output columns an ORDER BY may name, with what they stand for.
    pub(crate) outputs: &'r [(String, Typed)],
    /// The WINDOW clause.
    pub(crate) named_windows: &'r [sqlparser::ast::NamedWindowDefinition],
}

impl Rules<'_> {
    /// A place without aggregates and window functions.
    pub(crate) fn plain(place: &'static str) -> Self {
        let filters = match place {
            "WHERE" | "a join's condition" => Filters::Decides,
            _ => Filters::No,
        };
        Self { place, aggregates: false, windows: false, filters, outputs: &[], named_windows: &[] }
    }

    fn inside_call(self) -> Self {
        Self { aggregates: false, windows: false, place: "an aggregate function", ..self }
    }
}

/// Everything an expression is analyzed in.
#[derive(Clone, Copy)]
pub(crate) struct At<'c> {
    pub(crate) scope: &'c Scope,
    pub(crate) env: &'c Env,
    pub(crate) rules: &'c Rules<'c>,
}

impl<'c> Rules<'c> {
    /// The same, where a part has no more to say about which rows remain than this.
    pub(crate) fn at_most(&self, filters: Filters) -> Rules<'c> {
        Rules { filters: self.filters.min(filters), ..*self }
    }
}

impl Analyzer<'_> {
    /// Analyzes an expression.
    pub(crate) fn expr(&self, ast: &Ast, scope: &Scope, env: &Env, rules: &Rules<'_>) -> Result<Typed> {
        self.typed(ast, At { scope, env, rules })
    }

    /// Analyzes an expression that has to be true or false.
    pub(crate) fn condition(&self, ast: &Ast, scope: &Scope, env: &Env, rules: &Rules<'_>) -> Result<Expr> {
        self.truth(ast, At { scope, env, rules })
    }

    pub(crate) fn truth(&self, ast: &Ast, at: At<'_>) -> Result<Expr> {
        let value = self.typed(ast, at)?;
        match value.sql_type {
            SqlType::Boolean => Ok(value.expr),
            SqlType::Unknown => Ok(Expr::Literal(ScalarValue::Boolean(None), None)),
            other => Err(self.fail(
                span_of(ast),
                Error::invalid(format!("a condition has to be boolean, but this is {other}")),
            )),
        }
    }

    pub(crate) fn typed(&self, ast: &Ast, at: At<'_>) -> Result<Typed> {
        // Deep nesting is refused by the parser; what it lets through may still need more stack than a thread has.
        stacker(|| self.typed_here(ast, at))
            .and_then(|value| self.in_session_zone(value))
            .map_err(|e| self.fail(span_of(ast), e))
    }

    /// PostgreSQL's instants have no zone of their own. What a view says was said in Athena's language and stays so.
    fn in_session_zone(&self, value: Typed) -> Result<Typed> {
        let SqlType::TimestampTz(precision, zone) = &value.sql_type else { return Ok(value) };
        if !self.session.postgres || !self.views.borrow().is_empty() {
            return Ok(value);
        }
        let ours = self.session.zone.name();
        if *zone == ours {
            return Ok(value);
        }
        let wanted = SqlType::TimestampTz(*precision, ours);
        self.cast(value, &wanted, false)
    }

    fn typed_here(&self, ast: &Ast, here: At<'_>) -> Result<Typed> {
        let rules = here.rules.at_most(Filters::Somehow);
        let at = At { rules: &rules, ..here };
        match ast {
            Ast::Identifier(ident) => self.name(std::slice::from_ref(ident), at),
            Ast::CompoundIdentifier(parts) => self.name(parts, at),
            Ast::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, at),
            Ast::Nested(inner) => self.typed(inner, here),
            Ast::Value(value) => self.value(&value.value, at),
            Ast::TypedString(text) => self.typed_literal(text),
            Ast::Interval(interval) => self.interval(interval, false),
            Ast::UnaryOp { op: UnaryOperator::Not, expr } if let Some(negation) = negated_subquery(expr) => {
                self.typed_here(&negation, here)
            }
            Ast::UnaryOp { op, expr } => self.unary(*op, expr, at),
            Ast::BinaryOp { left, op, right } => self.binary(left, op, right, here),
            Ast::IsNull(e) => Ok(boolean(self.typed(e, at)?.expr.is_null())),
            Ast::IsNotNull(e) => Ok(boolean(self.typed(e, at)?.expr.is_not_null())),
            Ast::IsTrue(e) => Ok(boolean(self.truth(e, at)?.is_true())),
            Ast::IsNotTrue(e) => Ok(boolean(self.truth(e, at)?.is_not_true())),
            Ast::IsFalse(e) => Ok(boolean(self.truth(e, at)?.is_false())),
            Ast::IsNotFalse(e) => Ok(boolean(self.truth(e, at)?.is_not_false())),
            Ast::IsDistinctFrom(l, r) => self.distinct_from(l, r, true, at),
            Ast::IsNotDistinctFrom(l, r) => self.distinct_from(l, r, false, at),
            Ast::InList { expr, list, negated } => self.in_list(expr, list, *negated, at),
            Ast::Between { expr, negated, low, high } => self.between(expr, low, high, *negated, at),
            Ast::Like { negated, expr, pattern, escape_char, .. } => {
                self.like(expr, pattern, escape_char.as_ref(), *negated, at)
            }
            Ast::Cast { kind, expr, data_type, .. } => self.cast_ast(kind, expr, data_type, at),
            Ast::AtTimeZone { timestamp, time_zone } => self.at_time_zone(timestamp, time_zone, at),
            Ast::Extract { field, expr, .. } => self.extract(field, expr, at),
            Ast::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), at)
            }
            Ast::Tuple(items) => self.row(items, at),
            Ast::Array(array) => self.array(&array.elem, at),
            Ast::Function(function) => self.call(function, at),
            Ast::Subquery(query) => self.scalar_subquery(query, at),
            Ast::Exists { subquery, negated } => self.exists(subquery, *negated, here),
            Ast::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated, here),
            Ast::AnyOp { left, compare_op, right, .. } => {
                self.quantified(left, compare_op, right, false, here)
            }
            Ast::AllOp { left, compare_op, right } => self.quantified(left, compare_op, right, true, here),
            Ast::Lambda(_) => {
                Err(Error::invalid("a lambda can only be an argument of a function that takes one"))
            }
            other => Err(Error::unsupported(format!(
                "`{}` is not supported",
                crate::relation::shorten(&other.to_string())
            ))),
        }
    }

    // ---- names -----------------------------------------------------------------------------------------------

    fn name(&self, parts: &[Ident], at: At<'_>) -> Result<Typed> {
        let lower: Vec<String> = parts.iter().map(|p| p.value.to_lowercase()).collect();
        if let [name] = lower.as_slice()
            && let Some((_, value)) = at.rules.outputs.iter().find(|(output, _)| output == name)
        {
            return Ok(value.clone());
        }
        let span = parts
            .iter()
            .fold(Span::empty(), |s, p| if s.start.line == 0 { p.span } else { s.union(&p.span) });
        let (found, used) = match at.scope.lookup(&lower) {
            Lookup::One { column, used, levels } => {
                let mut named = column.column.clone();
                if levels > 0 {
                    let field = arrow::datatypes::Field::new(&named.name, column.sql_type.to_arrow(), true);
                    (
                        Typed::new(
                            Expr::OuterReferenceColumn(Arc::new(field), named),
                            column.sql_type.clone(),
                        ),
                        used,
                    )
                } else {
                    named.spans_mut().add_span(to_span(span));
                    (Typed::new(Expr::Column(named), column.sql_type.clone()), used)
                }
            }
            Lookup::Ambiguous { used } => {
                let name = lower[..used].join(".");
                return Err(self.fail(
                    span,
                    Error::invalid(format!("column `{name}` is ambiguous: more than one table has it"))
                        .hint(format!("write the table's name before it: t.{}", lower[used - 1])),
                ));
            }
            Lookup::Nothing => return Err(self.fail(span, unknown_column(&lower, at.scope))),
        };
        let mut value = found;
        for part in &parts[used..] {
            value = self.field(value, &part.value).map_err(|e| self.fail(part.span, e))?;
        }
        Ok(value)
    }

    fn access(&self, root: &Ast, chain: &[AccessExpr], at: At<'_>) -> Result<Typed> {
        let mut value = self.typed(root, at)?;
        for step in chain {
            value = match step {
                AccessExpr::Dot(Ast::Identifier(ident)) => {
                    self.field(value, &ident.value).map_err(|e| self.fail(ident.span, e))?
                }
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let position = self.typed(index, at)?;
                    self.subscript(value, position).map_err(|e| self.fail(span_of(index), e))?
                }
                other => return Err(Error::unsupported(format!("`{other}` is not supported"))),
            };
        }
        Ok(value)
    }

    fn subscript(&self, value: Typed, index: Typed) -> Result<Typed> {
        if let SqlType::Row(fields) = &value.sql_type {
            let at = match index.literal() {
                Some(ScalarValue::Int32(Some(at))) => usize::try_from(*at).ok(),
                _ => None,
            };
            return match at.filter(|at| (1..=fields.len()).contains(at)) {
                Some(at) => {
                    let field = &fields[at - 1];
                    let expr = get_field(value.expr, field.arrow_name(at - 1));
                    Ok(Typed::new(expr, field.sql_type.clone()))
                }
                None => Err(Error::invalid(format!(
                    "a row of {} fields is subscripted by a constant from 1",
                    fields.len()
                ))),
            };
        }
        self.function("$subscript", vec![value, index])
    }

    fn field(&self, value: Typed, name: &str) -> Result<Typed> {
        let SqlType::Row(fields) = &value.sql_type else {
            return Err(Error::invalid(format!(
                "`{name}` cannot be taken from a value of type {}",
                value.sql_type
            ))
            .why("only rows have fields"));
        };
        let lower = name.to_lowercase();
        let found = fields.iter().position(|f| f.name.as_deref().is_some_and(|n| n.to_lowercase() == lower));
        let found = found.or_else(|| fields.iter().enumerate().position(|(i, f)| f.arrow_name(i) == lower));
        match found {
            Some(at) => {
                let expr = get_field(value.expr, fields[at].arrow_name(at));
                Ok(Typed::new(expr, fields[at].sql_type.clone()))
            }
            None => Err(Error::not_found(format!("the row has no field `{lower}`"))
                .hint(nearest_hint(&lower, fields.iter().filter_map(|f| f.name.as_deref())))),
        }
    }

    // ---- composed values -------------------------------------------------------------------------------------

    fn row(&self, items: &[Ast], at: At<'_>) -> Result<Typed> {
        let values = items.iter().map(|i| self.typed(i, at)).collect::<Result<Vec<_>>>()?;
        self.function("$row", values)
    }

    fn array(&self, items: &[Ast], at: At<'_>) -> Result<Typed> {
        let values = items.iter().map(|i| self.typed(i, at)).collect::<Result<Vec<_>>>()?;
        let mut element = SqlType::Unknown;
        for (value, item) in values.iter().zip(items) {
            element = common_type(&element, &value.sql_type).ok_or_else(|| {
                self.fail(
                    span_of(item),
                    Error::invalid(format!(
                        "the array's elements are {element}, but this one is {}",
                        value.sql_type
                    )),
                )
            })?;
        }
        let values = values.into_iter().map(|v| self.cast(v, &element, false)).collect::<Result<Vec<_>>>()?;
        self.function("$array", values)
    }

    fn case(
        &self,
        operand: Option<&Ast>,
        conditions: &[CaseWhen],
        otherwise: Option<&Ast>,
        at: At<'_>,
    ) -> Result<Typed> {
        let operand = operand.map(|o| self.typed(o, at)).transpose()?;
        let mut whens = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        for CaseWhen { condition, result } in conditions {
            let when = match &operand {
                None => self.truth(condition, at)?,
                Some(operand) => {
                    let value = self.typed(condition, at)?;
                    self.equal(operand.clone(), value).map_err(|e| self.fail(span_of(condition), e))?
                }
            };
            whens.push(when);
            results.push((self.typed(result, at)?, span_of(result)));
        }
        if let Some(otherwise) = otherwise {
            results.push((self.typed(otherwise, at)?, span_of(otherwise)));
        }
        let (mut results, sql_type) = self.unified(results, "CASE")?;
        let otherwise = if otherwise.is_some() { results.pop() } else { None };
        let pairs = whens.into_iter().map(Box::new).zip(results.into_iter().map(Box::new)).collect();
        let expr = Expr::Case(Case { expr: None, when_then_expr: pairs, else_expr: otherwise.map(Box::new) });
        Ok(Typed::new(expr, sql_type))
    }

    /// Casts the values to the type they have in common.
    pub(crate) fn unified(&self, values: Vec<(Typed, Span)>, what: &str) -> Result<(Vec<Expr>, SqlType)> {
        let mut sql_type = SqlType::Unknown;
        for (value, span) in &values {
            sql_type = common_type(&sql_type, &value.sql_type).ok_or_else(|| {
                self.fail(
                    *span,
                    Error::invalid(format!("{what} has {sql_type} before and {} here", value.sql_type))
                        .hint("cast them to one type"),
                )
            })?;
        }
        let exprs = values
            .into_iter()
            .map(|(value, _)| Ok(self.cast(value, &sql_type, false)?.expr))
            .collect::<Result<_>>()?;
        Ok((exprs, sql_type))
    }
}

/// `NOT x IN (…)` as `x NOT IN (…)`.
fn negated_subquery(expr: &Ast) -> Option<Ast> {
    match expr {
        Ast::Nested(inner) => negated_subquery(inner),
        Ast::InSubquery { expr, subquery, negated } => {
            Some(Ast::InSubquery { expr: expr.clone(), subquery: subquery.clone(), negated: !negated })
        }
        _ => None,
    }
}

pub(crate) fn boolean(expr: Expr) -> Typed {
    Typed::new(expr, SqlType::Boolean)
}

fn unknown_column(parts: &[String], scope: &Scope) -> Error {
    let name = parts.join(".");
    let names = scope.names();
    let error = Error::not_found(format!("column `{name}` does not exist"));
    if names.is_empty() {
        return error.hint("there is no table in FROM here; texts stand in single quotes: 'text'");
    }
    let last = parts.last().map_or("", String::as_str);
    if parts.len() > 1 && names.contains(&last) {
        let mut tables: Vec<&str> =
            scope.columns.iter().filter_map(|c| c.qualifier.last()).map(String::as_str).collect();
        tables.dedup();
        return error.hint(nearest_hint(&parts[0], tables));
    }
    error.hint(nearest_hint(last, names))
}

pub(crate) fn to_span(span: Span) -> datafusion::common::Span {
    datafusion::common::Span::new(
        datafusion::common::Location { line: span.start.line, column: span.start.column },
        datafusion::common::Location { line: span.end.line, column: span.end.column },
    )
}

fn stacker<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, work)
}
