//! Lambdas: their bodies are analyzed once their parameters' types are known.

use super::{At, Rules, Typed};
use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::runtime::{self, LambdaArg};
use crate::scope::{Scope, ScopeColumn};
use datafusion::common::Column;
use model::{Error, Result};
use sql::SqlType;
use sqlparser::ast::{Expr as Ast, Ident, LambdaFunction, OneOrManyWithParens};
use sqlparser::tokenizer::Span;

/// The parameters' names.
pub(crate) fn params(lambda: &LambdaFunction) -> Vec<&Ident> {
    match &lambda.params {
        OneOrManyWithParens::One(param) => vec![&param.name],
        OneOrManyWithParens::Many(params) => params.iter().map(|p| &p.name).collect(),
    }
}

impl Analyzer<'_> {
    /// What the lambda returns for parameters of these types.
    pub(super) fn lambda_type(
        &self,
        lambda: Option<&LambdaFunction>,
        types: &[SqlType],
        at: At<'_>,
    ) -> Result<SqlType> {
        let lambda = lambda.ok_or_else(|| Error::internal("there is no lambda at this position"))?;
        Ok(self.lambda_body(lambda, types, at)?.0.sql_type)
    }

    /// The lambda ready to run; its result is cast to what the function expects.
    pub(super) fn bind_lambda(
        &self,
        lambda: &LambdaFunction,
        types: &[SqlType],
        result: &SqlType,
        at: At<'_>,
    ) -> Result<LambdaArg> {
        let (body, columns) = self.lambda_body(lambda, types, at)?;
        let body = self.cast(body, result, false).map_err(|e| self.fail(span_of(&lambda.body), e))?;
        runtime::lambda(body.expr, &columns, types)
    }

    /// `TRY(x)` is a lambda without parameters.
    pub(super) fn bind_thunk(&self, body: &Ast, at: At<'_>) -> Result<(LambdaArg, SqlType)> {
        let value = self.typed(body, at)?;
        Ok((runtime::lambda(value.expr, &[], &[])?, value.sql_type))
    }

    fn lambda_body(
        &self,
        lambda: &LambdaFunction,
        types: &[SqlType],
        at: At<'_>,
    ) -> Result<(Typed, Vec<Column>)> {
        let names = params(lambda);
        let depth = at.scope.lambda_depth + 1;
        let mut scope: Scope = at.scope.clone();
        scope.lambda_depth = depth;
        let mut columns = Vec::with_capacity(names.len());
        for (i, (name, sql_type)) in names.iter().zip(types).enumerate() {
            // The name depends on the depth alone, so that the same lambda written twice is the same expression.
            let column = Column::new_unqualified(format!("->{depth}.{i}.{}", name.value.to_lowercase()));
            columns.push(column.clone());
            scope.columns.push(ScopeColumn {
                qualifier: vec!["->".into()],
                name: Some(name.value.to_lowercase()),
                column,
                sql_type: sql_type.clone(),
                hidden: true,
            });
        }
        let rules = Rules { outputs: &[], ..Rules::plain("a lambda") };
        let body = self.typed(&lambda.body, At { scope: &scope, rules: &rules, ..at })?;
        if runtime::has_subquery(&body.expr) {
            let span: Span = span_of(&lambda.body);
            return Err(self.fail(span, Error::unsupported("a lambda cannot contain a subquery")));
        }
        Ok((body, columns))
    }
}
