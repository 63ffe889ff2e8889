//! Calls of functions: which overload is meant, scalar, aggregate or window.

use super::{At, Typed};
use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::query::sort;
use crate::runtime::{self, LambdaArg};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment, Sort};
use functions::{ArgType, find_aggregate, find_scalar, resolve_aggregate, resolve_scalar, unknown_function};
use model::{Error, Result};
use sql::SqlType;
use sqlparser::ast::{
    DuplicateTreatment, Expr as Ast, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, LambdaFunction, ListAggOnOverflow, NullTreatment as AstNulls, OrderByExpr,
};

/// An argument as written.
pub(crate) enum Given<'q> {
    Value(Typed, &'q Ast),
    Lambda(&'q LambdaFunction),
}

/// A call's parts, untangled.
pub(crate) struct Parts<'q> {
    pub(crate) name: String,
    pub(crate) args: Vec<&'q Ast>,
    pub(crate) named: Vec<(String, &'q Ast)>,
    /// `count(*)`
    pub(crate) wildcard: bool,
    pub(crate) distinct: bool,
    pub(crate) order_by: Vec<&'q OrderByExpr>,
    pub(crate) overflow: Option<&'q ListAggOnOverflow>,
    pub(crate) nulls: Option<AstNulls>,
}

impl<'q> Parts<'q> {
    fn of(function: &'q Function) -> Result<Parts<'q>> {
        let name = function
            .name
            .0
            .last()
            .map(|p| p.to_string().trim_matches('"').to_lowercase())
            .unwrap_or_default();
        let mut parts = Parts {
            name,
            args: Vec::new(),
            named: Vec::new(),
            wildcard: false,
            distinct: false,
            order_by: function.within_group.iter().collect(),
            overflow: None,
            nulls: function.null_treatment,
        };
        let FunctionArguments::List(list) = &function.args else { return Ok(parts) };
        parts.distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => parts.args.push(expr),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => parts.wildcard = true,
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expr), .. } => {
                    parts.named.push((name.value.clone(), expr));
                }
                other => return Err(Error::unsupported(format!("the argument `{other}` is not supported"))),
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(items) => parts.order_by.extend(items),
                FunctionArgumentClause::OnOverflow(overflow) => parts.overflow = Some(overflow),
                FunctionArgumentClause::IgnoreOrRespectNulls(nulls) => parts.nulls = Some(*nulls),
                other => return Err(Error::unsupported(format!("`{other}` is not supported in a call"))),
            }
        }
        Ok(parts)
    }
}

impl Analyzer<'_> {
    pub(super) fn call(&self, function: &Function, at: At<'_>) -> Result<Typed> {
        let parts = Parts::of(function)?;
        if parts.wildcard && parts.name != "count" {
            return Err(Error::invalid(format!("`*` is no argument of {}; only count takes it", parts.name)));
        }
        if let Some(window) = &function.over {
            if !at.rules.windows {
                return Err(Error::invalid(format!("window functions cannot stand in {}", at.rules.place))
                    .hint("compute them in a subquery and use its column"));
            }
            return self.window_call(function, &parts, window, at);
        }
        if let Some(value) = self.special(function, &parts, at)? {
            return Ok(value);
        }
        if parts.name.starts_with("json_") && self.is_json_form(&parts) {
            return self.json_call(&parts, at);
        }
        if !parts.named.is_empty() {
            return Err(Error::invalid(format!("{} takes no named arguments", parts.name)));
        }
        let is_hidden = match parts.name.strip_prefix('$') {
            // A view is read in Athena's language, whoever asks.
            Some(name) => {
                !(self.session.postgres && self.views.borrow().is_empty() && name.starts_with("pg_"))
            }
            None => false,
        };
        let scalar = !find_scalar(&parts.name).is_empty() && !is_hidden;
        let aggregate = !find_aggregate(&parts.name).is_empty();
        // Some names are both (`cardinality` of a sketch is scalar, `merge` an aggregate): the scalar is tried first
        // unless only an aggregate has the name.
        if scalar && !aggregate || parts.name == "$concat" {
            self.no_aggregate_words(function, &parts)?;
            let given = self.given(&parts.args, at)?;
            // A char(n) is as long as its type says: the blanks at its end are not kept.
            if let ("length", [Given::Value(value, _)]) = (parts.name.as_str(), given.as_slice())
                && let SqlType::Char(n) = value.sql_type
            {
                let length = datafusion::logical_expr::when(
                    value.expr.clone().is_not_null(),
                    datafusion::logical_expr::lit(i64::from(n)),
                );
                let expr = length.end().map_err(crate::error::from_datafusion)?;
                return Ok(Typed::new(expr, SqlType::BigInt));
            }
            return self.scalar_call(&parts.name, given, at);
        }
        if aggregate {
            return self.aggregate_call(function, &parts, at);
        }
        if crate::window::is_window_function(&parts.name) {
            return Err(Error::invalid(format!("{} is a window function and needs OVER (…)", parts.name)));
        }
        Err(unknown_function(&parts.name, super::special::NAMES))
    }

    fn no_aggregate_words(&self, function: &Function, parts: &Parts<'_>) -> Result<()> {
        if parts.distinct || function.filter.is_some() || !parts.order_by.is_empty() {
            return Err(Error::invalid(format!(
                "{} is not an aggregate function: it takes no DISTINCT, ORDER BY or FILTER",
                parts.name
            )));
        }
        Ok(())
    }

    pub(crate) fn given<'q>(&self, args: &[&'q Ast], at: At<'_>) -> Result<Vec<Given<'q>>> {
        args.iter()
            .map(|arg| match arg {
                Ast::Lambda(lambda) => Ok(Given::Lambda(lambda)),
                other => Ok(Given::Value(self.typed(other, at)?, other)),
            })
            .collect()
    }

    /// Calls a function on values that are analyzed already.
    pub(crate) fn function(&self, name: &str, args: Vec<Typed>) -> Result<Typed> {
        let types: Vec<ArgType> = args.iter().map(|a| ArgType::Value(a.sql_type.clone())).collect();
        let resolved = resolve_scalar(name, &types, &self.session, &mut |_, _| {
            Err(Error::internal(format!("{name} was called without its lambda")))
        })?;
        let args = args
            .into_iter()
            .zip(&resolved.arg_types)
            .map(|(arg, wanted)| Ok(self.cast(arg, wanted, false)?.expr))
            .collect::<Result<Vec<_>>>()?;
        let sql_type = resolved.return_type.clone();
        Ok(Typed::new(runtime::scalar_call(resolved, args, Vec::new(), &self.session), sql_type))
    }

    pub(crate) fn scalar_call(&self, name: &str, given: Vec<Given<'_>>, at: At<'_>) -> Result<Typed> {
        let types = arg_types(&given);
        let lambdas = lambdas_of(&given);
        let mut resolved = resolve_scalar(name, &types, &self.session, &mut |i, params| {
            self.lambda_type(lambdas.get(i).copied().flatten(), params, at)
        })?;
        let (args, bound) = self.bind(name, given, &resolved.arg_types, at)?;
        super::special::settle_zone(name, &mut resolved.return_type, &args)?;
        let sql_type = resolved.return_type.clone();
        Ok(Typed::new(runtime::scalar_call(resolved, args, bound, &self.session), sql_type))
    }

    /// The arguments as the function takes them: values by their casts, lambdas by their bodies.
    fn bind(
        &self,
        name: &str,
        given: Vec<Given<'_>>,
        wanted: &[SqlType],
        at: At<'_>,
    ) -> Result<(Vec<Expr>, Vec<Option<LambdaArg>>)> {
        let mut args = Vec::new();
        let mut bound = Vec::new();
        for (arg, wanted) in given.into_iter().zip(wanted) {
            match (arg, wanted) {
                (Given::Value(value, ast), wanted) => {
                    let value = self.cast(value, wanted, false).map_err(|e| self.fail(span_of(ast), e))?;
                    args.push(value.expr);
                    bound.push(None);
                }
                (Given::Lambda(lambda), SqlType::Function(params, result)) => {
                    bound.push(Some(self.bind_lambda(lambda, params, result, at)?));
                }
                (Given::Lambda(_), _) => {
                    return Err(Error::internal(format!("{name} takes no lambda there")));
                }
            }
        }
        Ok((args, bound))
    }

    // ---- aggregates ------------------------------------------------------------------------------------------

    fn aggregate_call(&self, function: &Function, parts: &Parts<'_>, at: At<'_>) -> Result<Typed> {
        if !at.rules.aggregates {
            let place = at.rules.place;
            let error =
                Error::invalid(format!("aggregate functions such as {} cannot stand in {place}", parts.name));
            return Err(if place == "WHERE" { error.hint("filter groups in HAVING") } else { error });
        }
        let inside = at.rules.inside_call();
        let at = At { rules: &inside, ..at };
        let (call, sql_type) = self.aggregate(function, parts, at)?;
        Ok(Typed::new(Expr::AggregateFunction(call), sql_type))
    }

    /// The aggregate with its arguments, for groups and for windows.
    pub(crate) fn aggregate(
        &self,
        function: &Function,
        parts: &Parts<'_>,
        at: At<'_>,
    ) -> Result<(AggregateFunction, SqlType)> {
        let name = parts.name.as_str();
        let mut given = self.given(&parts.args, at)?;
        if name == "count" && given.is_empty() {
            given.push(Given::Value(
                Typed::new(datafusion::logical_expr::lit(1_i64), SqlType::BigInt),
                parts.args.first().copied().unwrap_or(&NOTHING),
            ));
        }
        self.listagg_words(parts, &mut given, at)?;
        let types = arg_types(&given);
        let lambdas = lambdas_of(&given);
        let resolved = resolve_aggregate(name, &types, &self.session, &mut |i, params| {
            self.lambda_type(lambdas.get(i).copied().flatten(), params, at)
        })?;
        let (args, bound) = self.bind(name, given, &resolved.arg_types, at)?;
        if bound.iter().flatten().any(|lambda| !lambda.captures.is_empty()) {
            return Err(Error::unsupported(format!("the lambdas of {name} cannot use columns")));
        }
        let filter = match &function.filter {
            Some(condition) => Some(Box::new(self.truth(condition, at)?)),
            None => None,
        };
        let mut order_by: Vec<Sort> = Vec::new();
        for item in &parts.order_by {
            order_by.push(sort(self.typed(&item.expr, at)?.expr, item));
        }
        let sql_type = resolved.return_type.clone();
        let nulls = match parts.nulls {
            Some(AstNulls::IgnoreNulls) => Some(NullTreatment::IgnoreNulls),
            Some(AstNulls::RespectNulls) => Some(NullTreatment::RespectNulls),
            None => None,
        };
        let call_parts = runtime::AggregateParts {
            args,
            lambdas: bound,
            distinct: parts.distinct,
            order_by,
            filter,
            nulls,
        };
        Ok((runtime::aggregate_call(resolved, call_parts, &self.session)?, sql_type))
    }

    /// `ON OVERFLOW` arrives at listagg as further constants: the filler, and whether the count is told.
    fn listagg_words<'q>(&self, parts: &Parts<'q>, given: &mut Vec<Given<'q>>, at: At<'_>) -> Result<()> {
        if parts.name != "listagg" {
            return Ok(());
        }
        if given.len() == 1 {
            given.push(Given::Value(super::literal::text_literal(""), parts.args[0]));
        }
        if let Some(ListAggOnOverflow::Truncate { filler, with_count }) = parts.overflow {
            let ast = parts.args.first().copied().unwrap_or(&NOTHING);
            let filler = match filler {
                Some(filler) => self.typed(filler, at)?,
                None => super::literal::text_literal("..."),
            };
            given.push(Given::Value(filler, ast));
            given.push(Given::Value(super::boolean(datafusion::logical_expr::lit(*with_count)), ast));
        }
        Ok(())
    }
}

/// Stands for an argument that was not written.
static NOTHING: Ast = Ast::Value(sqlparser::ast::ValueWithSpan {
    value: sqlparser::ast::Value::Null,
    span: sqlparser::tokenizer::Span::empty(),
});

fn lambdas_of<'a>(given: &[Given<'a>]) -> Vec<Option<&'a LambdaFunction>> {
    given
        .iter()
        .map(|g| match g {
            Given::Lambda(l) => Some(*l),
            Given::Value(..) => None,
        })
        .collect()
}

fn arg_types(given: &[Given<'_>]) -> Vec<ArgType> {
    given
        .iter()
        .map(|g| match g {
            Given::Value(v, _) => ArgType::Value(v.sql_type.clone()),
            Given::Lambda(l) => ArgType::Lambda(super::lambda::params(l).len()),
        })
        .collect()
}
