//! An analyst for tests: schemas written by hand, and just enough of an analyzer for the queries that nodes make.

use async_trait::async_trait;
use jobgraph::{Analyst, Columns, LogPattern, SourceSpec};
use model::{Error, Result, nearest_hint};
use sql::{Source, SqlType, Statement};
use sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Value, visit_expressions,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// `name type, name type`; the text of a row type without its `row( )`.
pub(crate) fn columns(text: &str) -> Columns {
    let mut depth = 0;
    let top_level = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    let pairs = text.split(top_level).map(|pair| pair.trim().split_once(' ').unwrap());
    pairs.map(|(name, sql_type)| (name, sql_type.parse::<SqlType>().unwrap())).collect()
}

#[derive(Default)]
pub(crate) struct Hand {
    pub(crate) tables: BTreeMap<String, Columns>,
    pub(crate) files: Option<Columns>,
}

impl Hand {
    /// The tables and files of most tests.
    pub(crate) fn usual() -> Self {
        let table = |name: &str, text: &str| (name.to_owned(), columns(text));
        let tables = [
            table(
                "shop.orders",
                "id integer, customer integer, amount double, note varchar, placed timestamp(3), year integer",
            ),
            table("shop.customers", "id integer, name varchar, born date"),
            table(
                "shop.nested",
                "id bigint, tags array(varchar), attributes map(varchar, bigint), place row(city varchar, zip integer)",
            ),
            table("shop.totals", "customer integer, total double"),
            table(
                "anpr.arrived",
                "uniqueid integer, speed integer, trafficjamindicator integer, recordtimestamp bigint, originalrecordtimestamp timestamp(3), year integer, month integer, day integer, hour integer",
            ),
        ];
        let files = "componentName varchar, fromTimestamp varchar, maxValue varchar, metricName varchar, minValue varchar, toTimestamp varchar, unit varchar";
        Self { tables: tables.into_iter().collect(), files: Some(columns(files)) }
    }
}

#[async_trait]
impl Analyst for Hand {
    async fn table(&self, database: &str, table: &str) -> Result<Option<Columns>> {
        let name = format!("{database}.{table}");
        match self.tables.get(&name) {
            Some(columns) => Ok(Some(columns.clone())),
            None => Err(Error::not_found(format!("there is no table `{name}`"))
                .hint(nearest_hint(&name, self.tables.keys().map(String::as_str)))),
        }
    }

    async fn files(&self, _: &SourceSpec) -> Result<Option<Columns>> {
        Ok(self.files.clone())
    }

    async fn query(&self, sql: &str, inputs: &[(&str, &Columns)]) -> Result<Columns> {
        let Statement::Query(query) = sql::parse_one(sql, "hand")? else { panic!("{sql} is no query") };
        let source = Source::new("hand", sql);
        let mut tables: Vec<(String, Columns)> =
            inputs.iter().map(|(name, columns)| ((*name).to_owned(), (*columns).clone())).collect();
        Walk { source: &source }.query(&query, &mut tables)
    }

    async fn log_columns(&self, _: &LogPattern) -> Result<Option<Columns>> {
        Ok(Some(columns("status integer, verb varchar")))
    }
}

struct Walk<'a> {
    source: &'a Source,
}

type Tables = Vec<(String, Columns)>;

impl Walk<'_> {
    fn query(&self, query: &Query, tables: &mut Tables) -> Result<Columns> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let columns = self.query(&cte.query, tables)?;
            tables.push((cte.alias.name.value.clone(), columns));
        }
        self.set(&query.body, tables)
    }

    fn set(&self, body: &SetExpr, tables: &mut Tables) -> Result<Columns> {
        match body {
            SetExpr::Select(select) => self.select(select, tables),
            SetExpr::Query(query) => self.query(query, tables),
            SetExpr::SetOperation { left, right, .. } => {
                self.set(right, tables)?;
                self.set(left, tables)
            }
            other => panic!("{other}"),
        }
    }

    fn select(&self, select: &Select, tables: &mut Tables) -> Result<Columns> {
        let mut scope: Vec<(String, SqlType)> = Vec::new();
        let mut using: Vec<String> = Vec::new();
        for TableWithJoins { relation, joins } in &select.from {
            scope.extend(self.relation(relation, tables)?);
            for join in joins {
                if let Some(names) = joined_by(&join.join_operator) {
                    using.extend(names);
                }
                let more = self.relation(&join.relation, tables)?;
                scope.extend(more.into_iter().filter(|(name, _)| !using.contains(&name.to_lowercase())));
            }
        }
        let known = |name: &str| scope.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        let everything: Vec<&str> =
            scope.iter().map(|(n, _)| n.as_str()).chain(tables.iter().flat_map(|(_, c)| c.names())).collect();
        let flow = visit_expressions(select, |expr| match expr {
            Expr::Identifier(ident)
                if !everything.iter().any(|n| n.eq_ignore_ascii_case(&ident.value))
                    && ident.value != "value"
                    && ident.value != "n" =>
            {
                ControlFlow::Break(self.unknown(ident, &everything))
            }
            _ => ControlFlow::Continue(()),
        });
        if let ControlFlow::Break(error) = flow {
            return Err(error);
        }
        let mut out: Vec<(String, SqlType)> = Vec::new();
        for (index, item) in select.projection.iter().enumerate() {
            match item {
                SelectItem::Wildcard(_) => out.extend(scope.iter().cloned()),
                SelectItem::UnnamedExpr(Expr::Identifier(ident)) => {
                    out.push(known(&ident.value).unwrap().clone());
                }
                SelectItem::UnnamedExpr(expr) => out.push((format!("_col{index}"), type_of(expr, &scope))),
                SelectItem::ExprWithAlias { expr, alias } => {
                    out.push((alias.value.clone(), type_of(expr, &scope)));
                }
                other => panic!("{other}"),
            }
        }
        Ok(out.into_iter().collect())
    }

    fn unknown(&self, ident: &Ident, known: &[&str]) -> Error {
        Error::invalid(format!("there is no column `{}`", ident.value))
            .at(sql::at(self.source, ident.span))
            .hint(nearest_hint(&ident.value, known.iter().copied()))
    }

    fn relation(&self, factor: &TableFactor, tables: &mut Tables) -> Result<Vec<(String, SqlType)>> {
        let pairs =
            |columns: &Columns| columns.iter().map(|c| (c.name.clone(), c.sql_type.clone())).collect();
        match factor {
            TableFactor::Table { name, .. } => {
                let wanted = name.0.last().unwrap().as_ident().unwrap();
                let found = tables.iter().rev().find(|(n, _)| n.eq_ignore_ascii_case(&wanted.value));
                let names: Vec<&str> = tables.iter().map(|(n, _)| n.as_str()).collect();
                found.map(|(_, columns)| pairs(columns)).ok_or_else(|| {
                    Error::not_found(format!("there is no table `{}`", wanted.value))
                        .at(sql::at(self.source, wanted.span))
                        .hint(nearest_hint(&wanted.value, names))
                })
            }
            TableFactor::Derived { subquery, .. } => Ok(pairs(&self.query(subquery, tables)?)),
            TableFactor::UNNEST { alias, .. } => {
                let names = alias.iter().flat_map(|alias| &alias.columns);
                Ok(names.map(|column| (column.name.value.clone(), SqlType::VARCHAR)).collect())
            }
            other => panic!("{other}"),
        }
    }
}

fn joined_by(operator: &sqlparser::ast::JoinOperator) -> Option<Vec<String>> {
    use sqlparser::ast::{JoinConstraint, JoinOperator::*};
    let (Inner(c) | Left(c) | Right(c) | FullOuter(c)) = operator else { return None };
    let JoinConstraint::Using(names) = c else { return None };
    Some(names.iter().map(|name| name.to_string().trim_matches('"').to_lowercase()).collect())
}

/// Types of what the nodes write; an unknown function is a text.
fn type_of(expr: &Expr, scope: &[(String, SqlType)]) -> SqlType {
    match expr {
        Expr::Identifier(ident) => scope
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(&ident.value))
            .map_or(SqlType::VARCHAR, |(_, t)| t.clone()),
        Expr::Nested(inner) => type_of(inner, scope),
        Expr::Cast { data_type, .. } => sql::type_of(data_type).unwrap(),
        Expr::BinaryOp { left, .. } => type_of(left, scope),
        Expr::Value(value) => match &value.value {
            Value::Number(..) => SqlType::Integer,
            Value::Boolean(_) => SqlType::Boolean,
            _ => SqlType::VARCHAR,
        },
        Expr::Function(function) => match function.name.to_string().to_lowercase().as_str() {
            "count" | "count_if" | "row_number" => SqlType::BigInt,
            "avg" | "sum" | "kurtosis" | "floor" | "to_unixtime" | "approx_percentile" => SqlType::Double,
            "coalesce" | "if" | "min" | "max" | "min_by" | "max_by" | "arbitrary" => {
                let inner = function.args.to_string();
                if inner.to_uppercase().contains("AS TIMESTAMP(") {
                    SqlType::Timestamp(3)
                } else {
                    first_argument(function, scope)
                }
            }
            _ => SqlType::VARCHAR,
        },
        _ => SqlType::VARCHAR,
    }
}

fn first_argument(function: &sqlparser::ast::Function, scope: &[(String, SqlType)]) -> SqlType {
    use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
    let FunctionArguments::List(list) = &function.args else { return SqlType::VARCHAR };
    match list.args.last() {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) if list.args.len() == 1 => {
            type_of(expr, scope)
        }
        Some(_) => match &list.args[0] {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => type_of(expr, scope),
            _ => SqlType::VARCHAR,
        },
        None => SqlType::VARCHAR,
    }
}
