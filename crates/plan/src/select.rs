//! SELECT: from the rows of FROM to the columns of the result, with groups, windows and order between.

use crate::analyzer::Analyzer;
use crate::error::from_datafusion;
use crate::error::span_of;
use crate::expr::{At, Filters, Rules, Typed};
use crate::query::{Tail, project, sort};
use crate::runtime;
use crate::scope::{Env, Relation, Scope, ScopeColumn};
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder};
use model::{Error, Result, nearest_hint};
use sql::SqlType;
use sqlparser::ast::{
    Distinct, Expr as Ast, GroupByExpr, GroupByWithModifier, ObjectName, OrderByExpr, Select, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned,
};
use std::collections::HashSet;

/// A column of the result on its way.
struct Output {
    qualifier: Vec<String>,
    name: Option<String>,
    value: Typed,
}

/// GROUP BY: the keys, and which of them each grouping set takes.
struct Groups {
    keys: Vec<Expr>,
    sets: Vec<Vec<usize>>,
}

/// How many grouping sets a query may have.
const MAX_SETS: usize = 2048;

/// More columns would take seconds to plan: the time grows with their square.
const MAX_COLUMNS: usize = 4096;

impl Analyzer<'_> {
    pub(crate) fn select(&self, select: &Select, tail: &Tail<'_>, env: &Env) -> Result<Relation> {
        let mut from = self.from(&select.from, env)?;
        let scope = Scope::new(from.columns.clone(), env.outer.clone());
        if let Some(condition) = &select.selection {
            let condition = self.condition(condition, &scope, env, &Rules::plain("WHERE"))?;
            from.plan = filter(from.plan, condition)?;
        }
        let rules = Rules {
            place: "SELECT",
            aggregates: true,
            windows: true,
            filters: Filters::No,
            outputs: &[],
            named_windows: &select.named_window,
        };
        let at = At { scope: &scope, env, rules: &rules };
        let mut outputs = self.outputs(&select.projection, &from, at)?;
        let groups = self.groups(&select.group_by, &outputs, &select.projection, at)?;
        let having_rules = Rules { place: "HAVING", windows: false, filters: Filters::Decides, ..rules };
        let mut having = match &select.having {
            Some(condition) => Some(self.truth(condition, At { rules: &having_rules, ..at })?),
            None => None,
        };
        let mut sorts = self.sorts(tail.order_by, &outputs, at)?;

        let grouped = groups.is_some()
            || having.is_some()
            || outputs.iter().map(|o| &o.value.expr).chain(sorts.iter().map(|s| &s.expr)).any(has_aggregate);
        let mut plan = from.plan;
        if grouped {
            let groups = groups.unwrap_or(Groups { keys: Vec::new(), sets: vec![Vec::new()] });
            let mut exprs: Vec<&mut Expr> = outputs.iter_mut().map(|o| &mut o.value.expr).collect();
            exprs.extend(having.as_mut());
            exprs.extend(sorts.iter_mut().map(|s| &mut s.expr));
            plan = self.aggregated(plan, groups, exprs, &scope)?;
        }
        if let Some(condition) = having {
            plan = filter(plan, condition)?;
        }
        let mut exprs: Vec<&mut Expr> = outputs.iter_mut().map(|o| &mut o.value.expr).collect();
        exprs.extend(sorts.iter_mut().map(|s| &mut s.expr));
        plan = self.windowed(plan, exprs)?;
        let distinct = matches!(select.distinct, Some(Distinct::Distinct));
        self.projected(plan, outputs, sorts, distinct, tail)
    }

    // ---- the select list -------------------------------------------------------------------------------------

    fn outputs(&self, items: &[SelectItem], from: &Relation, at: At<'_>) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(ast) => {
                    let value = self.typed(ast, at)?;
                    outputs.push(Output {
                        qualifier: self.qualifier_of(ast, at),
                        name: implied_name(ast),
                        value,
                    });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let value = self.typed(expr, at)?;
                    outputs.push(Output {
                        qualifier: Vec::new(),
                        name: Some(alias.value.to_lowercase()),
                        value,
                    });
                }
                SelectItem::Wildcard(options) => {
                    let before = outputs.len();
                    outputs.extend(from.visible().map(column_output));
                    if outputs.len() == before {
                        let span = options.wildcard_token.0.span;
                        return Err(self.fail(span, Error::invalid("SELECT * needs a table in FROM")));
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    self.qualified_wildcard(name, from, at, &mut outputs)?;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(ast), _) => {
                    let value = self.typed(ast, at)?;
                    self.spread_row(value, &mut outputs).map_err(|e| self.fail(span_of(ast), e))?;
                }
                other => {
                    return Err(
                        self.fail(other.span(), Error::unsupported(format!("`{other}` is not supported")))
                    );
                }
            }
            if outputs.len() > MAX_COLUMNS {
                let text = format!("a SELECT has more than the {MAX_COLUMNS} columns allowed");
                let error = Error::new(model::ErrorKind::LimitExceeded, text);
                return Err(self.fail(item.span(), error.hint("gather values in an array, a map or rows")));
            }
        }
        Ok(outputs)
    }

    fn qualified_wildcard(
        &self,
        name: &ObjectName,
        from: &Relation,
        at: At<'_>,
        outputs: &mut Vec<Output>,
    ) -> Result<()> {
        let parts: Vec<String> =
            name.0.iter().map(|p| p.to_string().trim_matches('"').to_lowercase()).collect();
        let before = outputs.len();
        outputs.extend(from.visible().filter(|c| c.qualifier.ends_with(&parts)).map(column_output));
        if outputs.len() > before {
            return Ok(());
        }
        // `r.*` may also mean the fields of a column that is a row.
        let idents: Vec<_> = name
            .0
            .iter()
            .filter_map(|p| match p {
                sqlparser::ast::ObjectNamePart::Identifier(ident) => Some(ident.clone()),
                _ => None,
            })
            .collect();
        if let Ok(value) = self.typed(&Ast::CompoundIdentifier(idents), at)
            && matches!(value.sql_type, SqlType::Row(_))
        {
            return self.spread_row(value, outputs);
        }
        let mut tables: Vec<&str> =
            from.columns.iter().filter_map(|c| c.qualifier.last()).map(String::as_str).collect();
        tables.dedup();
        Err(self.fail(
            name.span(),
            Error::not_found(format!("table `{}` is not in FROM", parts.join(".")))
                .hint(nearest_hint(parts.last().map_or("", String::as_str), tables)),
        ))
    }

    fn spread_row(&self, value: Typed, outputs: &mut Vec<Output>) -> Result<()> {
        let SqlType::Row(fields) = &value.sql_type else {
            return Err(Error::invalid(format!("`.*` takes a row's fields, but this is {}", value.sql_type)));
        };
        for (i, field) in fields.iter().enumerate() {
            let expr = get_field(value.expr.clone(), field.arrow_name(i));
            outputs.push(Output {
                qualifier: Vec::new(),
                name: field.name.clone(),
                value: Typed::new(expr, field.sql_type.clone()),
            });
        }
        Ok(())
    }

    /// The table a bare column comes from: `t.a` can still be named so behind ORDER BY.
    fn qualifier_of(&self, ast: &Ast, at: At<'_>) -> Vec<String> {
        let parts: Vec<String> = match ast {
            Ast::Identifier(ident) => vec![ident.value.to_lowercase()],
            Ast::CompoundIdentifier(parts) => parts.iter().map(|p| p.value.to_lowercase()).collect(),
            _ => return Vec::new(),
        };
        match at.scope.lookup(&parts) {
            crate::scope::Lookup::One { column, used, levels: 0 } if used == parts.len() => {
                column.qualifier.clone()
            }
            _ => Vec::new(),
        }
    }

    // ---- ORDER BY --------------------------------------------------------------------------------------------

    /// ORDER BY may name output columns, by position or by name, and input columns.
    fn sorts(&self, items: &[OrderByExpr], outputs: &[Output], at: At<'_>) -> Result<Vec<Sort>> {
        let named: Vec<(String, Typed)> = outputs
            .iter()
            .filter_map(|o| o.name.as_ref().map(|name| (name.clone(), o.value.clone())))
            .collect();
        let rules = Rules { place: "ORDER BY", outputs: &named, ..*at.rules };
        let mut sorts = Vec::with_capacity(items.len());
        for item in items {
            let expr = match self.position(&item.expr, outputs.len())? {
                Some(position) => outputs[position].value.expr.clone(),
                None => {
                    let value = self.typed(&item.expr, At { rules: &rules, ..at })?;
                    if !value.sql_type.is_orderable() {
                        return Err(self.fail(
                            span_of(&item.expr),
                            Error::invalid(format!("values of type {} have no order", value.sql_type)),
                        ));
                    }
                    value.expr
                }
            };
            sorts.push(sort(expr, item));
        }
        Ok(sorts)
    }

    // ---- GROUP BY --------------------------------------------------------------------------------------------

    fn groups(
        &self,
        group_by: &GroupByExpr,
        outputs: &[Output],
        projection: &[SelectItem],
        at: At<'_>,
    ) -> Result<Option<Groups>> {
        let GroupByExpr::Expressions(elements, modifiers) = group_by else { return Ok(None) };
        if elements.is_empty() {
            return Ok(None);
        }
        let mut keys: Vec<Expr> = Vec::new();
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        for element in elements {
            let alternatives = self.group_element(element, &mut keys, outputs, projection, at)?;
            let mut product = Vec::new();
            for set in &sets {
                for alternative in &alternatives {
                    let mut joined = set.clone();
                    joined.extend(alternative.iter().filter(|k| !set.contains(k)));
                    product.push(joined);
                }
            }
            if product.len() > MAX_SETS {
                return Err(self.fail(
                    span_of(element),
                    Error::invalid(format!("more than {MAX_SETS} grouping sets"))
                        .hint("group by fewer columns in CUBE, or list the GROUPING SETS"),
                ));
            }
            sets = product;
        }
        if modifiers.contains(&GroupByWithModifier::Totals) {
            let mut seen = HashSet::new();
            sets.retain(|set| {
                let mut sorted = set.clone();
                sorted.sort_unstable();
                seen.insert(sorted)
            });
        }
        Ok(Some(Groups { keys, sets }))
    }

    /// The sets one element of GROUP BY stands for.
    fn group_element(
        &self,
        element: &Ast,
        keys: &mut Vec<Expr>,
        outputs: &[Output],
        projection: &[SelectItem],
        at: At<'_>,
    ) -> Result<Vec<Vec<usize>>> {
        let mut key = |ast: &Ast| self.group_key(ast, keys, outputs, projection, at);
        let mut list = |asts: &[Ast]| asts.iter().map(&mut key).collect::<Result<Vec<usize>>>();
        Ok(match element {
            Ast::Tuple(items) => vec![list(items)?],
            Ast::Rollup(groups) => {
                let parts = groups.iter().map(|g| list(g)).collect::<Result<Vec<_>>>()?;
                (0..=parts.len()).rev().map(|n| parts[..n].concat()).collect()
            }
            Ast::Cube(groups) => {
                let parts = groups.iter().map(|g| list(g)).collect::<Result<Vec<_>>>()?;
                if parts.len() > 11 {
                    return Err(self.fail(span_of(element), Error::invalid("CUBE takes at most 11 columns")));
                }
                (0..1_usize << parts.len())
                    .rev()
                    .map(|mask| {
                        let last = parts.len();
                        parts
                            .iter()
                            .enumerate()
                            .filter(|(i, _)| mask & (1 << (last - 1 - i)) != 0)
                            .flat_map(|(_, p)| p.clone())
                            .collect()
                    })
                    .collect()
            }
            Ast::GroupingSets(groups) => groups.iter().map(|g| list(g)).collect::<Result<Vec<_>>>()?,
            one => vec![vec![key(one)?]],
        })
    }

    fn group_key(
        &self,
        ast: &Ast,
        keys: &mut Vec<Expr>,
        outputs: &[Output],
        projection: &[SelectItem],
        at: At<'_>,
    ) -> Result<usize> {
        let rules = Rules { outputs: &[], ..Rules::plain("GROUP BY") };
        let expr = match self.position(ast, outputs.len())? {
            Some(position) => outputs[position].value.clone(),
            None => {
                self.typed(ast, At { rules: &rules, ..at }).map_err(|e| aliased_hint(e, ast, projection))?
            }
        };
        if has_aggregate(&expr.expr) {
            return Err(
                self.fail(span_of(ast), Error::invalid("GROUP BY cannot contain an aggregate function"))
            );
        }
        if !expr.sql_type.is_comparable() {
            return Err(self.fail(
                span_of(ast),
                Error::invalid(format!("values of type {} cannot be grouped by", expr.sql_type)),
            ));
        }
        if let Some(at) = keys.iter().position(|k| *k == expr.expr) {
            return Ok(at);
        }
        keys.push(expr.expr);
        Ok(keys.len() - 1)
    }

    /// Groups the plan and turns `exprs` into expressions over the groups.
    fn aggregated(
        &self,
        plan: LogicalPlan,
        groups: Groups,
        exprs: Vec<&mut Expr>,
        scope: &Scope,
    ) -> Result<LogicalPlan> {
        let mut aggregates: Vec<Expr> = Vec::new();
        for expr in &exprs {
            collect(expr, &mut aggregates, &|e| matches!(e, Expr::AggregateFunction(_)))?;
        }
        // Keys that are not columns become columns first, so that aggregates and keys have names of their own.
        let mut keys = Vec::with_capacity(groups.keys.len());
        let mut computed = Vec::new();
        for key in &groups.keys {
            match key {
                Expr::Column(column) => keys.push(column.clone()),
                other => {
                    let name = self.fresh("key");
                    computed.push(other.clone().alias(name.clone()));
                    keys.push(Column::new_unqualified(name));
                }
            }
        }
        let plan = if computed.is_empty() {
            plan
        } else {
            let mut all: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
            all.extend(computed);
            project(plan, all)?
        };
        let key_exprs: Vec<Expr> = keys.iter().cloned().map(Expr::Column).collect();
        let group_exprs = match groups.sets.as_slice() {
            [only] if only.len() == key_exprs.len() => key_exprs.clone(),
            sets => {
                let sets = sets.iter().map(|s| s.iter().map(|i| key_exprs[*i].clone()).collect()).collect();
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets))]
            }
        };
        let mut named = Vec::with_capacity(aggregates.len());
        let mut replaced = Vec::with_capacity(aggregates.len() + keys.len());
        for aggregate in aggregates {
            let name = self.fresh("agg");
            let call = runtime::over_keys(aggregate.clone(), &groups.keys, &key_exprs)?;
            named.push(call.alias(name.clone()));
            replaced.push((aggregate, Expr::Column(Column::new_unqualified(name))));
        }
        for (key, column) in groups.keys.into_iter().zip(key_exprs) {
            replaced.push((key, column));
        }
        for expr in exprs {
            *expr = replace(std::mem::take(expr), &replaced)?;
            self.only_groups(expr, &replaced, scope)?;
        }
        LogicalPlanBuilder::from(plan)
            .aggregate(group_exprs, named)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)
    }

    /// After grouping, only keys and aggregates are left to speak of.
    fn only_groups(&self, expr: &Expr, replaced: &[(Expr, Expr)], scope: &Scope) -> Result<()> {
        let mut stray: Option<Column> = None;
        expr.apply(|e| {
            if let Expr::Column(column) = e
                && !replaced.iter().any(|(_, to)| matches!(to, Expr::Column(known) if known == column))
            {
                stray = Some(column.clone());
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(from_datafusion)?;
        let Some(column) = stray else { return Ok(()) };
        let name = scope
            .columns
            .iter()
            .find(|c| c.column == column)
            .and_then(|c| c.name.clone())
            .unwrap_or_else(|| column.name.clone());
        let error =
            Error::invalid(format!("column `{name}` is neither grouped by nor inside an aggregate function"))
                .hint(format!("add {name} to GROUP BY, or take arbitrary({name})"));
        Err(match column.spans().first() {
            Some(span) => self.fail(from_span(span), error),
            None => error,
        })
    }

    // ---- windows and projection ------------------------------------------------------------------------------

    fn windowed(&self, plan: LogicalPlan, exprs: Vec<&mut Expr>) -> Result<LogicalPlan> {
        let mut windows: Vec<Expr> = Vec::new();
        for expr in &exprs {
            collect(expr, &mut windows, &|e| matches!(e, Expr::WindowFunction(_)))?;
        }
        if windows.is_empty() {
            return Ok(plan);
        }
        let (plan, columns) = crate::query::windows(plan, windows.clone())?;
        let replaced: Vec<(Expr, Expr)> =
            windows.into_iter().zip(columns.into_iter().map(Expr::Column)).collect();
        for expr in exprs {
            *expr = replace(std::mem::take(expr), &replaced)?;
        }
        Ok(plan)
    }

    fn projected(
        &self,
        plan: LogicalPlan,
        outputs: Vec<Output>,
        mut sorts: Vec<Sort>,
        distinct: bool,
        tail: &Tail<'_>,
    ) -> Result<Relation> {
        let mut exprs = Vec::with_capacity(outputs.len());
        let mut columns: Vec<ScopeColumn> = Vec::with_capacity(outputs.len());
        let mut values: Vec<(Expr, Expr)> = Vec::new();
        for output in outputs {
            let column = match &output.value.expr {
                // A column passed on keeps its name, unless it is passed on twice.
                Expr::Column(column) if !columns.iter().any(|c| c.column == *column) => {
                    exprs.push(output.value.expr.clone());
                    column.clone()
                }
                other => {
                    let name = self.fresh(output.name.as_deref().unwrap_or("_col"));
                    exprs.push(other.clone().alias(name.clone()));
                    Column::new_unqualified(name)
                }
            };
            if !values.iter().any(|(e, _)| *e == output.value.expr) {
                values.push((output.value.expr, Expr::Column(column.clone())));
            }
            columns.push(ScopeColumn {
                qualifier: output.qualifier,
                name: output.name,
                column,
                sql_type: output.value.sql_type,
                hidden: false,
            });
        }
        if distinct && let Some(column) = columns.iter().find(|c| !c.sql_type.is_comparable()) {
            return Err(Error::invalid(format!(
                "DISTINCT cannot compare values of type {}",
                column.sql_type
            )));
        }
        let mut extra = Vec::new();
        for sort in &mut sorts {
            match values.iter().find(|(e, _)| *e == sort.expr) {
                Some((_, column)) => sort.expr = column.clone(),
                None if distinct => {
                    return Err(Error::invalid(
                        "with SELECT DISTINCT, ORDER BY can only name selected columns",
                    )
                    .hint("select the expression too"));
                }
                None => {
                    let name = self.fresh("order");
                    extra.push(std::mem::take(&mut sort.expr).alias(name.clone()));
                    sort.expr = Expr::Column(Column::new_unqualified(name));
                }
            }
        }
        let needs_cut = !extra.is_empty();
        exprs.extend(extra);
        let mut plan = project(plan, exprs)?;
        if distinct {
            plan = LogicalPlanBuilder::from(plan)
                .distinct()
                .and_then(LogicalPlanBuilder::build)
                .map_err(from_datafusion)?;
        }
        plan = self.sorted(plan, sorts, tail)?;
        if needs_cut {
            let visible = columns.iter().map(|c| Expr::Column(c.column.clone())).collect();
            plan = project(plan, visible)?;
        }
        Ok(Relation { plan, columns })
    }
}

fn column_output(column: &ScopeColumn) -> Output {
    Output {
        qualifier: column.qualifier.clone(),
        name: column.name.clone(),
        value: Typed::new(Expr::Column(column.column.clone()), column.sql_type.clone()),
    }
}

/// The name a column has without an alias: that of the column or field it is.
fn implied_name(ast: &Ast) -> Option<String> {
    use sqlparser::ast::AccessExpr;
    match ast {
        Ast::Identifier(ident) => Some(ident.value.to_lowercase()),
        Ast::CompoundIdentifier(parts) => parts.last().map(|p| p.value.to_lowercase()),
        Ast::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Ast::Identifier(ident))) => Some(ident.value.to_lowercase()),
            _ => None,
        },
        Ast::Nested(inner) => implied_name(inner),
        _ => None,
    }
}

/// Trino's GROUP BY does not see aliases: says so to who tried.
fn aliased_hint(error: Error, ast: &Ast, projection: &[SelectItem]) -> Error {
    let Ast::Identifier(ident) = ast else { return error };
    for (i, item) in projection.iter().enumerate() {
        if let SelectItem::ExprWithAlias { alias, expr } = item
            && alias.value.eq_ignore_ascii_case(&ident.value)
        {
            return error.hint(format!(
                "GROUP BY does not see aliases: write GROUP BY {} or GROUP BY {}",
                i + 1,
                crate::relation::shorten(&expr.to_string())
            ));
        }
    }
    error
}

fn filter(plan: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan)
        .filter(condition)
        .and_then(LogicalPlanBuilder::build)
        .map_err(from_datafusion)
}

/// An aggregate that is not the inside of a window function.
pub(crate) fn has_aggregate(expr: &Expr) -> bool {
    let mut found = Vec::new();
    collect(expr, &mut found, &|e| matches!(e, Expr::AggregateFunction(_))).is_ok() && !found.is_empty()
}

/// The outermost parts for which `wanted` holds, each once.
fn collect(expr: &Expr, found: &mut Vec<Expr>, wanted: &dyn Fn(&Expr) -> bool) -> Result<()> {
    expr.apply(|e| {
        if wanted(e) {
            if !found.contains(e) {
                found.push(e.clone());
            }
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(|_| ())
    .map_err(from_datafusion)
}

fn replace(expr: Expr, replaced: &[(Expr, Expr)]) -> Result<Expr> {
    expr.transform_down(|e| {
        Ok(match replaced.iter().find(|(from, _)| *from == e) {
            Some((_, to)) => Transformed::new(to.clone(), true, TreeNodeRecursion::Jump),
            None => Transformed::no(e),
        })
    })
    .map(|t| t.data)
    .map_err(from_datafusion)
}

fn from_span(span: datafusion::common::Span) -> sqlparser::tokenizer::Span {
    use sqlparser::tokenizer::{Location, Span};
    Span::new(
        Location::new(span.start.line, span.start.column),
        Location::new(span.end.line, span.end.column),
    )
}
