//! The language: Athena's types, words and statements, before anything is looked up or run.
//!
//! In come the texts that users write: queries in Trino's dialect, data definitions in Hive's. Out come
//! statements with
//! the places their parts stand at, and types. This room never touches data, the catalog or DataFusion: whether
//! a table
//! or a function exists is decided above, with the places kept here.
//!
//! # Shapes of the trees
//!
//! The trees are sqlparser's, built by our own parser: only these shapes occur. Spans are lines and columns (in
//! characters,
//! from 1, the end exclusive) in the whole text; [`at`] makes a place of one, [`Source::slice`] its text.
//!
//! ## Identifiers
//! - `Ident{value, quote_style, span}`: value exactly as written (NOT folded), quotes removed, `quote_style`
//!   `Some('"')` or None.
//! - `a` -> `Expr::Identifier`; `a.b.c` -> `Expr::CompoundIdentifier` (any length).
//! - Anything else with `.f` or `[i]` behind: `Expr::CompoundFieldAccess{root, access_chain}`; chain is flat:
//!   `AccessExpr::Subscript(Subscript::Index{index})` or `AccessExpr::Dot(Expr::Identifier(f))`.
//!   `a.b[1].c` -> root `CompoundIdentifier([a,b])`, chain `[Subscript 1, Dot c]`. `(f(x)).y`: root `Nested`.
//! - Parentheses are kept: `Expr::Nested`.
//! - Parameters `?`: `Expr::Value(Placeholder("?1"))`, numbered from 1 in order of appearance in the statement.
//!
//! ## Literals
//! - numbers `Value::Number(text, false)` (`1`, `1.5`, `.5`, `1e3`; underscores removed). Minus is
//!   `UnaryOp{Minus}`.
//!   Trino: digits only = integer/bigint, with point = decimal, with `e` = double.
//! - `'text'` and `U&'..'` (decoded): `Value::SingleQuotedString`. `X'65'`: `Value::HexStringLiteral`
//!   (checked, blanks removed,
//!   upper case). `true/false/null`: `Value::Boolean/Null`.
//! - any `TYPE 'literal'` (DATE, TIME, TIMESTAMP, DECIMAL '1.0', BIGINT '1', JSON '..', IPADDRESS, CHAR(3)
//!   'a', DOUBLE PRECISION ..):
//!   `Expr::TypedString(TypedString{data_type, value})`, data_type as below.
//! - `INTERVAL '1' DAY`, `INTERVAL '1-2' YEAR TO MONTH`: `Expr::Interval{value:
//!   Box<Expr::Value(SingleQuotedString)>,
//!   leading_field: Some(Year|Month|Week(None)|Day|Hour|Minute|Second), last_field: Option<same>, precisions
//!   None}`.
//!   `INTERVAL -'1' DAY` -> `UnaryOp{Minus, Interval}`.
//!
//! ## Types
//! Every type (CAST, TRY_CAST, typed literals) is `DataType::Custom(ObjectName[one Ident], vec![])`; the
//! Ident's value is the type's
//! text and its span the type's place. It was already checked: `sql::type_of(&DataType) -> Result<SqlType>`
//! reads it.
//! - `CAST(x AS t)` -> `Expr::Cast{kind: CastKind::Cast, expr, data_type, array: false, format: None}`;
//!   `TRY_CAST` -> `CastKind::TryCast`.
//! - `TRY(x)` is an ordinary `Function` named `try`. `COALESCE`, `NULLIF`, `IF`, `GROUPING` likewise ordinary
//!   functions.
//!
//! ## Operators
//! - `BinaryOp`: Plus Minus Multiply Divide Modulo StringConcat Eq NotEq Lt LtEq Gt GtEq And Or. `UnaryOp`:
//!   Plus Minus Not.
//! - Long chains: `a AND b AND ...` and `OR` of any length come as a BALANCED tree of BinaryOp (order of
//!   leaves kept), so depth is
//!   small. A `||` chain of more than 100 operands comes as Function `$concat(a, b, c, ...)` = left fold of
//!   `||`.
//!   All other nesting (also left-deep `+`, `-`, set operations) is at most 500 deep; `UNION`/`UNION
//!   ALL`/`INTERSECT` runs of the same
//!   operator and quantifier are balanced too.
//! - `IS [NOT] NULL` -> IsNull/IsNotNull; `IS [NOT] DISTINCT FROM` -> IsDistinctFrom/IsNotDistinctFrom (no IS
//!   TRUE in Trino: refused)
//! - `Between`, `InList` (never empty), `InSubquery`, `Like{any:false, escape_char: Option<ValueWithSpan>
//!   string literal}`,
//!   `AnyOp{right: Box<Expr::Subquery>, is_some}` (SOME = ANY with is_some true), `AllOp`; compare_op a
//!   comparison BinaryOperator.
//! - `EXISTS (q)` -> `Exists{negated:false}`; NOT EXISTS -> `UnaryOp{Not, Exists}`. Scalar `(SELECT ..)` ->
//!   `Expr::Subquery` (no Nested).
//! - `x AT TIME ZONE z` -> `Expr::AtTimeZone{timestamp, time_zone}` (z any expression; INTERVAL allowed).
//! - `CASE` -> `Expr::Case`. `ARRAY[..]` -> `Expr::Array{named:true}`. `ROW(1,2)` and `(1,2)` ->
//!   `Expr::Tuple` (ROW(1) = Tuple of one).
//! - lambda `x -> e`, `(x, y) -> e`, `() -> e` -> `Expr::Lambda{params: OneOrManyWithParens::One|Many of
//!   LambdaFunctionParameter{name,
//!   data_type: None}, body, syntax: Arrow}`; only as function arguments.
//!
//! ## Functions: `Expr::Function`
//! name `ObjectName` (1..3 parts, as written); `parameters: FunctionArguments::None` always; `args:
//! FunctionArguments::List` (always,
//! also for `f()`), `None` only for words without parentheses: current_date, current_time, current_timestamp,
//! localtime,
//! localtimestamp, current_user, current_catalog, current_schema, current_path (with `(p)`: List of one
//! number).
//! `count(*)` -> `FunctionArgExpr::Wildcard`. DISTINCT/ALL -> `duplicate_treatment`. `ORDER BY` inside ->
//! `clauses: [OrderBy]`.
//! `FILTER (WHERE c)` -> filter. `IGNORE/RESPECT NULLS` -> null_treatment. `OVER w` / `OVER (..)` -> over
//! (WindowSpec.window_name for
//! `(w ORDER BY ..)`; frame end None = CURRENT ROW; units Rows/Range/Groups). `WITHIN GROUP (ORDER BY ..)` ->
//! within_group.
//! Rewritten to plain functions already:
//!   `substring(x FROM a FOR b)` -> `substring(x, a, b)`; `position(a IN b)` -> `strpos(b, a)`; `trim(x)`,
//!   `trim(BOTH FROM x)` -> `trim(x)`;
//!   `trim(BOTH y FROM x)` -> `trim(x, y)`; LEADING -> `ltrim(x[, y])`, TRAILING -> `rtrim(x[, y])`;
//!   `normalize(x, NFD)` ->
//!   `normalize(x, 'NFD')` (`normalize(x)` -> 'NFC').
//! - `EXTRACT(f FROM x)` -> `Expr::Extract{field: DateTimeField::Custom(ident), expr}`: ident.value is the
//!   LOWER-case Trino name: year quarter
//!   month week day day_of_month day_of_week dow day_of_year doy year_of_week yow hour minute second
//!   timezone_hour timezone_minute.
//! - `LISTAGG([DISTINCT] x [, sep] [ON OVERFLOW ...]) WITHIN GROUP (ORDER BY ..)` -> clauses:
//!   `[OnOverflow(ListAggOnOverflow::..)]`.
//! - JSON functions: Function with unnamed args first, clauses as `FunctionArg::Named{name, arg: Expr,
//!   operator: RightArrow}` behind:
//!   `json_exists(input, path)`, `json_value(..)`, `json_query(..)`: unnamed = [input, path]; named (all
//!   optional):
//!   `format` => 'json' | 'json encoding utf8' ..;  `passing.NAME` => expr (NAME as written, one per
//!   variable; `passing_format.NAME` => 'json' if FORMAT JSON);
//!   `returning` => 'type text';  `returning_format` => 'json..';  `wrapper` => 'without' | 'conditional' |
//!   'unconditional';
//!   `quotes` => 'keep' | 'omit';  `on_empty` / `on_error` => 'null' | 'error' | 'empty array' | 'empty
//!   object' | 'true' | 'false' | 'unknown';
//!   `default_on_empty` / `default_on_error` => expr.
//!   `json_array(..)`: unnamed = the elements; named `nulls` => 'null'|'absent', `returning`.
//!   `json_object(..)`: unnamed = key, value, key, value ..; named `nulls`, `unique_keys` =>
//!   'with'|'without', `returning`.
//!   (`json_array()`/`json_object(` with `KEY k VALUE v`, `k : v`, `k VALUE v`.)
//! - named call arguments `f(a => 1)` -> `FunctionArg::Named{operator: RightArrow}`.
//!
//! ## Queries: `Query{with, body, order_by, limit_clause, fetch}`; other fields empty
//! - `SetExpr::Select | Query (parenthesised) | SetOperation{op: Union|Except|Intersect, set_quantifier:
//!   All|Distinct|None} | Values`.
//!   `TABLE t` -> `Select` of `SELECT * FROM t`. `Values.rows`: each row a Vec; `VALUES 1, 2` = rows of one
//!   expression;
//!   `VALUES (1,2)` = rows of two (a parenthesised single `(1)` is one expression too).
//! - `LIMIT n` / `OFFSET n` -> `LimitClause::LimitOffset{limit, offset, limit_by: []}`; LIMIT ALL -> limit
//!   None; n number or Placeholder.
//!   `FETCH FIRST [n] ROWS ONLY|WITH TIES` -> `fetch: Fetch{with_ties, percent:false, quantity}` (None = 1
//!   row).
//! - ORDER BY -> `OrderByKind::Expressions`, `OrderByOptions{asc: Option, nulls_first: Option}` (Trino: nulls
//!   LAST whichever direction).
//! - CTEs: `With{recursive, cte_tables: [Cte{alias: TableAlias{name, columns}, query}]}`.
//! - `Select{distinct: None|Some(Distinct::Distinct), projection, from, selection, group_by, having,
//!   named_window}`.
//!   Projection: UnnamedExpr, ExprWithAlias, `ExprWithAliases` = `(expr).* AS (a, b)`: NOT produced; Wildcard,
//!   QualifiedWildcard(ObjectName(name)) for `a.*`/`a.b.*`, QualifiedWildcard(Expr(e)) for `(e).*`. `expr.*
//!   AS (x, y)`: refused.
//! - GROUP BY: `GroupByExpr::Expressions(elements, modifiers)`; elements: Expr, `Expr::Tuple` for `(a, b)`
//!   and `()` (Tuple([])),
//!   `Expr::Nested(a)` for `(a)`, `Expr::Rollup/Cube/GroupingSets(Vec<Vec<Expr>>)`. `GROUP BY DISTINCT ..` ->
//!   modifiers =
//!   `[GroupByWithModifier::Totals]` (used as the mark for DISTINCT; never else). `GROUP BY ALL x` = plain.
//! - FROM: `TableWithJoins{relation, joins}`, comma list = several. JoinOperator:
//!   `Inner|Left|Right|FullOuter(On|Using|Natural)`, `CrossJoin(None)`.
//!   (`LEFT OUTER` = Left, ...; plain JOIN = Inner.) NATURAL -> JoinConstraint::Natural. USING -> ObjectNames
//!   of one part.
//! - TableFactor: `Table{name, alias, version: FOR TIMESTAMP/VERSION AS OF refused}`, `Derived{lateral,
//!   subquery, alias}` (also for `(VALUES ..)`),
//!   `UNNEST{array_exprs, alias, with_ordinality}`, `NestedJoin{table_with_joins, alias}`,
//!   `TableFunction{expr: Function, alias}` = `TABLE(f(..))`.
//!   Alias: `TableAlias{name, columns: [TableAliasColumnDef{name, data_type None}]}`.
//!   TABLESAMPLE on Table/Derived: `sample: Some(TableSampleKind::AfterTableAlias(TableSample{name:
//!   Bernoulli|System, quantity.value}))`;
//!   on anything else it is wrapped: `Derived(SELECT * FROM x)`.
//! - MATCH_RECOGNIZE, PIVOT, QUALIFY, LATERAL VIEW, SELECT INTO, TOP, DISTINCT ON ... are refused by name.

pub mod ast;
mod parser;
mod text;
mod types;

pub use ast::{Located, QualifiedName, Statement};
pub use parser::{parse, parse_located, parse_one, type_of};
pub use text::{
    Source, TokenClass, at, hive_ident, hive_string, is_complete, quote_ident, quote_string,
    tokens_for_highlight,
};
pub use types::{RowField, SqlType, coerce_cost, common_type};
