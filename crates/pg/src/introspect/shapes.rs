//! PostgreSQL's types, and which of them an expression of a question has, before anything is calculated.

use super::query::Scope;
use super::tables;
use crate::values::Shape;
use sqlparser::ast::{BinaryOperator, DataType, Expr, SelectItem, SetExpr, Value as Literal};

/// A type of `pg_type`.
pub(super) struct PgType {
    pub(super) oid: u32,
    pub(super) name: &'static str,
    pub(super) size: i64,
    pub(super) category: &'static str,
    /// How people call it.
    pub(super) shown: &'static str,
    pub(super) element: u32,
}

const fn pg_type(
    oid: u32,
    name: &'static str,
    size: i64,
    category: &'static str,
    shown: &'static str,
) -> PgType {
    PgType { oid, name, size, category, shown, element: 0 }
}

const fn array(oid: u32, name: &'static str, shown: &'static str, element: u32) -> PgType {
    PgType { oid, name, size: -1, category: "A", shown, element }
}

/// The types that occur.
pub(super) const TYPES: [PgType; 50] = [
    pg_type(16, "bool", 1, "B", "boolean"),
    pg_type(17, "bytea", -1, "U", "bytea"),
    pg_type(18, "char", 1, "Z", "\"char\""),
    pg_type(19, "name", 64, "S", "name"),
    pg_type(20, "int8", 8, "N", "bigint"),
    pg_type(21, "int2", 2, "N", "smallint"),
    pg_type(22, "int2vector", -1, "A", "int2vector"),
    pg_type(23, "int4", 4, "N", "integer"),
    pg_type(24, "regproc", 4, "N", "regproc"),
    pg_type(25, "text", -1, "S", "text"),
    pg_type(26, "oid", 4, "N", "oid"),
    pg_type(30, "oidvector", -1, "A", "oidvector"),
    pg_type(114, "json", -1, "U", "json"),
    pg_type(700, "float4", 4, "N", "real"),
    pg_type(701, "float8", 8, "N", "double precision"),
    pg_type(705, "unknown", -2, "X", "unknown"),
    pg_type(869, "inet", -1, "I", "inet"),
    pg_type(1042, "bpchar", -1, "S", "character"),
    pg_type(1043, "varchar", -1, "S", "character varying"),
    pg_type(1082, "date", 4, "D", "date"),
    pg_type(1083, "time", 8, "D", "time without time zone"),
    pg_type(1114, "timestamp", 8, "D", "timestamp without time zone"),
    pg_type(1184, "timestamptz", 8, "D", "timestamp with time zone"),
    pg_type(1186, "interval", 16, "T", "interval"),
    pg_type(1700, "numeric", -1, "N", "numeric"),
    pg_type(2205, "regclass", 4, "N", "regclass"),
    pg_type(2206, "regtype", 4, "N", "regtype"),
    pg_type(2249, "record", -1, "P", "record"),
    pg_type(2278, "void", 4, "P", "void"),
    pg_type(2950, "uuid", 16, "U", "uuid"),
    pg_type(3802, "jsonb", -1, "U", "jsonb"),
    array(1000, "_bool", "boolean[]", 16),
    array(1001, "_bytea", "bytea[]", 17),
    array(1003, "_name", "name[]", 19),
    array(1005, "_int2", "smallint[]", 21),
    array(1007, "_int4", "integer[]", 23),
    array(1009, "_text", "text[]", 25),
    array(1014, "_bpchar", "character[]", 1042),
    array(1015, "_varchar", "character varying[]", 1043),
    array(1016, "_int8", "bigint[]", 20),
    array(1021, "_float4", "real[]", 700),
    array(1022, "_float8", "double precision[]", 701),
    array(1028, "_oid", "oid[]", 26),
    array(1115, "_timestamp", "timestamp without time zone[]", 1114),
    array(1182, "_date", "date[]", 1082),
    array(1185, "_timestamptz", "timestamp with time zone[]", 1184),
    array(1187, "_interval", "interval[]", 1186),
    array(1231, "_numeric", "numeric[]", 1700),
    array(2951, "_uuid", "uuid[]", 2950),
    array(199, "_json", "json[]", 114),
];

/// What `format_type` says.
pub(super) fn shown(oid: i64, modifier: Option<i64>) -> String {
    let Some(found) = TYPES.iter().find(|t| i64::from(t.oid) == oid) else { return "???".to_owned() };
    match (oid, modifier.filter(|m| *m >= 4)) {
        (1042 | 1043, Some(m)) => format!("{}({})", found.shown, m - 4),
        (1700, Some(m)) => format!("numeric({},{})", (m - 4) >> 16, (m - 4) & 0xffff),
        _ => found.shown.to_owned(),
    }
}

pub(super) const TEXT: Shape = Shape::Text(25, None);
pub(super) const NAME: Shape = Shape::Text(19, None);

/// The shape of a type's name in a cast.
pub(super) fn of_type(data_type: &DataType) -> Shape {
    let name = data_type.to_string().to_lowercase();
    let name = name.rsplit('.').next().unwrap_or_default().trim_matches('"');
    if name.ends_with("[]") {
        return Shape::Array(Box::new(TEXT));
    }
    let base = name.split('(').next().unwrap_or_default().trim();
    match base {
        "bool" | "boolean" => Shape::Bool,
        "int2" | "smallint" => Shape::Int2,
        "int" | "int4" | "integer" => Shape::Int4,
        "int8" | "bigint" => Shape::Int8,
        "oid" => Shape::Oid,
        "float8" | "double precision" | "float4" | "real" | "numeric" | "decimal" => Shape::Float8,
        "name" => NAME,
        _ => TEXT,
    }
}

/// The shape of an expression.
pub(super) fn of(expression: &Expr, scope: &Scope<'_>) -> Shape {
    match expression {
        Expr::Identifier(ident) => scope.shape(std::slice::from_ref(ident)).unwrap_or(TEXT),
        Expr::CompoundIdentifier(parts) => scope.shape(parts).unwrap_or(TEXT),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => of(inner, scope),
        Expr::Value(value) => match &value.value {
            Literal::Number(text, _) if text.contains(['.', 'e', 'E']) => Shape::Float8,
            Literal::Number(text, _) => {
                if text.parse::<i32>().is_ok() {
                    Shape::Int4
                } else {
                    Shape::Int8
                }
            }
            Literal::Boolean(_) => Shape::Bool,
            _ => TEXT,
        },
        Expr::Cast { data_type, .. } => of_type(data_type),
        Expr::Case { conditions, else_result, .. } => {
            let branches = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
            let is_null = |e: &&Expr| matches!(e, Expr::Value(v) if v.value == Literal::Null);
            branches.filter(|e| !is_null(e)).map(|e| of(e, scope)).next().unwrap_or(TEXT)
        }
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr => match (of(left, scope), of(right, scope)) {
                (Shape::Float8, _) | (_, Shape::Float8) => Shape::Float8,
                (Shape::Int8, _) | (_, Shape::Int8) => Shape::Int8,
                _ => Shape::Int4,
            },
            BinaryOperator::StringConcat | BinaryOperator::Arrow | BinaryOperator::LongArrow => TEXT,
            _ => Shape::Bool,
        },
        Expr::UnaryOp { op, expr } => match op {
            sqlparser::ast::UnaryOperator::Not => Shape::Bool,
            _ => of(expr, scope),
        },
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::Exists { .. }
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..) => Shape::Bool,
        Expr::Array(_) => Shape::Array(Box::new(TEXT)),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => {
                let inside = tables::scope_of(select, scope);
                let inner = Scope { parent: Some(scope), tables: &inside, row: &[], group: None };
                match select.projection.first() {
                    Some(SelectItem::UnnamedExpr(e) | SelectItem::ExprWithAlias { expr: e, .. }) => {
                        of(e, &inner)
                    }
                    _ => TEXT,
                }
            }
            _ => TEXT,
        },
        Expr::Function(function) => super::functions::shape(function, scope),
        Expr::Position { .. } | Expr::Extract { .. } => Shape::Int4,
        _ => TEXT,
    }
}
