//! Joins: ON, USING, NATURAL, CROSS, and those whose right side looks at the left one.

use super::unnest::Spec;
use crate::analyzer::Analyzer;
use crate::error::from_datafusion;
use crate::expr::{Rules, Typed};
use crate::query::project;
use crate::scope::{Env, Relation, Scope, ScopeColumn};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use model::{Error, Result, nearest_hint};
use sql::common_type;
use sqlparser::ast::{
    Expr as Ast, Ident, Join, JoinConstraint, JoinOperator, ObjectNamePart, Spanned, TableFactor, Value,
};

impl Analyzer<'_> {
    /// Joins one after the other onto the first relation.
    pub(super) fn joins(&self, first: Relation, joins: &[Join], env: &Env) -> Result<Relation> {
        let mut left = first;
        for join in joins {
            left = self.join(left, join, env)?;
        }
        Ok(left)
    }

    pub(super) fn cross_join(&self, left: Relation, factor: &TableFactor, env: &Env) -> Result<Relation> {
        if let Some(spec) = Spec::of(factor) {
            return self.unnest(left, &spec, false, env);
        }
        let right = self.right_side(&left, factor, env)?;
        if let Some(row) = super::lateral_row(&right.plan)? {
            return self.beside(left, right, row);
        }
        self.combine(left, right, JoinType::Inner, None)
    }

    /// A lateral subquery without FROM is one row beside each row: its columns are computed there.
    fn beside(&self, left: Relation, right: Relation, row: Vec<(Expr, Column)>) -> Result<Relation> {
        let mut exprs: Vec<Expr> = left.columns.iter().map(|c| Expr::Column(c.column.clone())).collect();
        exprs.extend(row.into_iter().map(|(expr, column)| expr.alias(column.name)));
        let columns = left.columns.into_iter().chain(right.columns).collect();
        Ok(Relation { plan: project(left.plan, exprs)?, columns })
    }

    fn right_side(&self, left: &Relation, factor: &TableFactor, env: &Env) -> Result<Relation> {
        match factor {
            TableFactor::Derived { lateral: true, .. } => self.lateral(left, factor, env),
            _ => self.factor(factor, env),
        }
    }

    fn join(&self, left: Relation, join: &Join, env: &Env) -> Result<Relation> {
        let (kind, constraint) = match &join.join_operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) => (JoinType::Inner, c),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (JoinType::Left, c),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => (JoinType::Right, c),
            JoinOperator::FullOuter(c) => (JoinType::Full, c),
            JoinOperator::CrossJoin(_) => return self.cross_join(left, &join.relation, env),
            _ => {
                return Err(
                    self.fail(join.relation.span(), Error::unsupported("this kind of join is not supported"))
                );
            }
        };
        if let Some(spec) = Spec::of(&join.relation) {
            return self.join_unnest(left, &spec, kind, constraint, env);
        }
        let right = self.right_side(&left, &join.relation, env)?;
        match constraint {
            JoinConstraint::On(condition) => self.join_on(left, right, kind, condition, env),
            JoinConstraint::Using(names) => {
                let names: Vec<Ident> = names
                    .iter()
                    .filter_map(|n| match n.0.first() {
                        Some(ObjectNamePart::Identifier(ident)) => Some(ident.clone()),
                        _ => None,
                    })
                    .collect();
                self.join_using(left, right, kind, &names)
            }
            JoinConstraint::Natural => Err(self.fail(
                join.relation.span(),
                Error::unsupported("NATURAL JOIN is not supported")
                    .hint("name the columns: JOIN … USING (a, b)"),
            )),
            JoinConstraint::None => Err(self.fail(
                join.relation.span(),
                Error::invalid("a JOIN needs ON or USING")
                    .hint("write CROSS JOIN to combine all rows with all"),
            )),
        }
    }

    /// `LEFT JOIN UNNEST(…) ON TRUE` keeps rows without elements.
    fn join_unnest(
        &self,
        left: Relation,
        spec: &Spec<'_>,
        kind: JoinType,
        constraint: &JoinConstraint,
        env: &Env,
    ) -> Result<Relation> {
        let on_true =
            matches!(constraint, JoinConstraint::On(Ast::Value(v)) if v.value == Value::Boolean(true));
        match kind {
            JoinType::Inner if on_true => self.unnest(left, spec, false, env),
            JoinType::Left if on_true => self.unnest(left, spec, true, env),
            JoinType::Inner | JoinType::Left => Err(Error::unsupported("UNNEST can only be joined ON TRUE")
                .hint("filter its rows in WHERE, or CROSS JOIN it")),
            _ => Err(Error::unsupported("UNNEST can only be joined by CROSS JOIN, INNER JOIN or LEFT JOIN")),
        }
    }

    fn join_on(
        &self,
        left: Relation,
        right: Relation,
        kind: JoinType,
        condition: &Ast,
        env: &Env,
    ) -> Result<Relation> {
        let columns = left.columns.iter().chain(&right.columns).cloned().collect();
        let scope = Scope::new(columns, env.outer.clone());
        let condition = self.condition(condition, &scope, env, &Rules::plain("a join's condition"))?;
        self.combine(left, right, kind, Some(condition))
    }

    fn combine(&self, left: Relation, right: Relation, kind: JoinType, on: Option<Expr>) -> Result<Relation> {
        let builder = LogicalPlanBuilder::from(left.plan);
        let builder = match on {
            Some(on) => builder.join_on(right.plan, kind, [on]),
            None => builder.cross_join(right.plan),
        };
        let plan = builder.and_then(LogicalPlanBuilder::build).map_err(from_datafusion)?;
        let columns = left.columns.into_iter().chain(right.columns).collect();
        Ok(Relation { plan, columns })
    }

    /// USING: the named columns appear once, without a table's name, before all others.
    fn join_using(
        &self,
        left: Relation,
        right: Relation,
        kind: JoinType,
        names: &[Ident],
    ) -> Result<Relation> {
        if names.is_empty() {
            return self.combine(left, right, kind, None);
        }
        let mut condition: Option<Expr> = None;
        let mut merged = Vec::new();
        let mut used = Vec::new();
        for ident in names {
            let l = self.using_column(&left, ident, "left")?;
            let r = self.using_column(&right, ident, "right")?;
            let Some(common) = common_type(&l.sql_type, &r.sql_type) else {
                return Err(self.fail(
                    ident.span,
                    Error::invalid(format!(
                        "column `{}` is {} on the left and {} on the right",
                        ident.value, l.sql_type, r.sql_type
                    )),
                ));
            };
            let left_value = self.cast(typed(&l), &common, false)?.expr;
            let right_value = self.cast(typed(&r), &common, false)?.expr;
            let equal = left_value.clone().eq(right_value.clone());
            condition = Some(match condition {
                Some(before) => before.and(equal),
                None => equal,
            });
            let value = match kind {
                JoinType::Right => right_value,
                JoinType::Full => {
                    datafusion::functions::core::expr_fn::coalesce(vec![left_value, right_value])
                }
                _ => left_value,
            };
            merged.push((ident.value.to_lowercase(), value, common));
            used.extend([l.column, r.column]);
        }
        let joined = self.combine(left, right, kind, condition)?;
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for (name, value, sql_type) in merged {
            let unique = self.fresh(&name);
            exprs.push(value.alias(unique.clone()));
            columns.push(ScopeColumn {
                qualifier: Vec::new(),
                name: Some(name),
                column: Column::new_unqualified(unique),
                sql_type,
                hidden: false,
            });
        }
        for column in joined.columns {
            exprs.push(Expr::Column(column.column.clone()));
            // A merged column can still be named with its table, but `*` shows it once.
            let merged = used.contains(&column.column);
            if !merged {
                columns.push(column);
            }
        }
        Ok(Relation { plan: project(joined.plan, exprs)?, columns })
    }

    fn using_column(&self, relation: &Relation, ident: &Ident, side: &str) -> Result<ScopeColumn> {
        let name = ident.value.to_lowercase();
        let mut found = relation.visible().filter(|c| c.name.as_deref() == Some(name.as_str()));
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column.clone()),
            (Some(_), Some(_)) => Err(self.fail(
                ident.span,
                Error::invalid(format!("column `{name}` is ambiguous on the {side} side of the join")),
            )),
            (None, _) => Err(self.fail(
                ident.span,
                Error::not_found(format!("column `{name}` does not exist on the {side} side of the join"))
                    .hint(nearest_hint(&name, relation.visible().filter_map(|c| c.name.as_deref()))),
            )),
        }
    }
}

fn typed(column: &ScopeColumn) -> Typed {
    Typed { expr: Expr::Column(column.column.clone()), sql_type: column.sql_type.clone() }
}
