//! Questions about the catalog, in the words that PostgreSQL's clients ask them: `pg_catalog`, `information_schema`,
//! `current_setting`. They are answered by an interpreter over a few small tables that are made from the catalog when
//! they are asked for. Clients ask with correlated subqueries, casts to `regclass` and functions of PostgreSQL's own,
//! which the engine's language has not; and whatever names a table of the lake is never answered here.

mod aggregate;
mod evaluate;
mod functions;
mod items;
mod join;
mod meter;
mod operators;
mod query;
mod rows;
mod shapes;
mod snapshot;
mod tables;
mod value;

use crate::door::Guests;
use crate::fault::Fault;
use crate::session::Settings;
use crate::text::{Facts, Kind, Token, TypeName};
use crate::values::{Column, Shape};
use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListBuilder, RecordBatch, RecordBatchOptions,
    StringViewArray, StringViewBuilder,
};
use arrow::datatypes::{Field, Schema};
use catalog::Catalog;
use chrono::{DateTime, Utc};
use engine::Engine;
use model::Error;
use snapshot::Snapshot;
use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use value::Value;

/// The longest question.
const MAX_TEXT: usize = 64 << 10;
/// How deep its parentheses may nest: the parser tries some of them more than once.
const MAX_NESTING: usize = 16;

/// How many operators a question may have: each may make its expression one level deeper.
const MAX_LINKS: usize = 500;
/// How many spans of time: the parser tries each in two ways.
const MAX_INTERVALS: usize = 8;
/// How many bytes an answer may have.
const MAX_ANSWER: usize = 64 << 20;

/// What questions may ask for.
pub(crate) struct Surroundings<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) engine: &'a Engine,
    pub(crate) guests: &'a dyn Guests,
    pub(crate) facts: &'a Facts,
    pub(crate) settings: &'a Settings,
    pub(crate) cursors: Vec<String>,
    pub(crate) statements: Vec<String>,
    pub(crate) now: DateTime<Utc>,
}

/// What of the surroundings goes along into the thread that answers.
pub(super) struct World {
    snapshot: Snapshot,
    facts: Facts,
    settings: Settings,
    cursors: Vec<String>,
    statements: Vec<String>,
    now: DateTime<Utc>,
    values: Vec<Value>,
    /// Nobody waits for the answer any more.
    cancel: CancellationToken,
}

/// A question, read.
#[derive(Debug)]
pub(crate) struct Question {
    query: Arc<Query>,
    parameters: usize,
}

/// Its answer.
pub(crate) struct Answered {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: RecordBatch,
}

/// Whether a statement asks about the catalog: it names a table of `pg_catalog` or `information_schema`, or it names no
/// table at all and calls one of PostgreSQL's own functions.
pub(crate) fn is_question(tokens: &[Token]) -> bool {
    let begins = |word: &str| tokens.first().is_some_and(|token| token.is(word));
    if !begins("SELECT") && !begins("WITH") && !begins("TABLE") && !begins("VALUES") {
        return false;
    }
    let symbol = |at: usize, sign: &str| tokens.get(at).is_some_and(|token| token.is_symbol(sign));
    let mut has_from = false;
    let mut calls = false;
    for (at, token) in tokens.iter().enumerate() {
        if !token.is_name() {
            continue;
        }
        let name = token.name();
        let qualified = symbol(at + 1, ".");
        let call_behind = symbol(at + 3, "(");
        if qualified && name == "information_schema" {
            return true;
        }
        if qualified && name == "pg_catalog" && !call_behind {
            let table = tokens.get(at + 2).map(Token::name).unwrap_or_default();
            if tables::is_known(&table) {
                return true;
            }
        }
        let behind = at.checked_sub(1).and_then(|before| tokens.get(before));
        if behind.is_some_and(|before| before.is("FROM") || before.is("JOIN") || before.is_symbol(","))
            && !qualified
            && name.starts_with("pg_")
            && tables::is_known(&name)
        {
            return true;
        }
        has_from |= token.is("FROM") && !tokens.iter().take(at).rev().take(4).any(|t| t.is("EXTRACT"));
        calls |= symbol(at + 1, "(") && token.kind == Kind::Word && functions::is_catalog_s_own(&name);
        calls |= behind.is_some_and(|before| before.is_symbol("::"))
            && matches!(name.as_str(), "regclass" | "regtype" | "regproc" | "regnamespace" | "regrole");
    }
    let plain = tokens.len() == 2
        && tokens
            .get(1)
            .is_some_and(|t| ["CURRENT_SCHEMA", "CURRENT_USER", "SESSION_USER"].iter().any(|w| t.is(w)));
    (calls && !has_from) || plain
}

/// The number of a type.
pub(crate) fn type_oid(name: &TypeName) -> u32 {
    let of = |name: &str| shapes::TYPES.iter().find(|t| t.name == name).map_or(0, |t| t.oid);
    if name.is_array { of(&format!("_{}", name.name)) } else { of(&name.name) }
}

impl Question {
    /// Reads a question.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT {
            return Err(Fault::new("54000", "a question about the catalog is too long"));
        }
        let tokens = crate::text::tokens(text)?;
        check_depth(&tokens)?;
        let numbers = tokens.iter().filter(|token| token.kind == Kind::Parameter);
        let parameters = numbers.map(|token| token.value.parse().unwrap_or(0)).max().unwrap_or(0);
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, text);
        let mut statements = parsed.map_err(|e| Fault::new("42601", e.to_string()))?;
        match statements.pop() {
            Some(Statement::Query(query)) if statements.is_empty() => {
                Ok(Self { query: Arc::new(*query), parameters })
            }
            _ => Err(Fault::new("0A000", "the tables of pg_catalog and information_schema can only be read")),
        }
    }

    /// The highest number of a parameter.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    /// Answers the question as the catalog is now. Values are expressions of the engine's language.
    pub(crate) async fn answer(
        &self,
        surroundings: &Surroundings<'_>,
        values: &[String],
    ) -> Result<Answered, Fault> {
        let snapshot = Snapshot::take(surroundings).await?;
        let mut world = World {
            snapshot,
            facts: surroundings.facts.clone(),
            settings: surroundings.settings.clone(),
            cursors: surroundings.cursors.clone(),
            statements: surroundings.statements.clone(),
            now: surroundings.now,
            values: Vec::new(),
            cancel: CancellationToken::new(),
        };
        // Who no longer waits stops the thread.
        let _waiting = world.cancel.clone().drop_guard();
        world.values = values.iter().map(|text| bound(&world, text)).collect::<Result<_, _>>()?;
        let query = Arc::clone(&self.query);
        // It calculates and does not wait: other connections go on meanwhile.
        let answered = tokio::task::spawn_blocking(move || query::answer(&world, &query)).await;
        let output = answered
            .map_err(|e| Error::internal("a question about the catalog broke off").source_is(e))??;
        self::answered(output)
    }
}

/// Refuses what would be parsed into a tree too deep to be walked.
fn check_depth(tokens: &[Token]) -> Result<(), Fault> {
    const LINKS: [&str; 24] = [
        "AND",
        "OR",
        "XOR",
        "IS",
        "ISNULL",
        "NOTNULL",
        "IN",
        "LIKE",
        "ILIKE",
        "RLIKE",
        "REGEXP",
        "GLOB",
        "MATCH",
        "SIMILAR",
        "BETWEEN",
        "OVERLAPS",
        "DIV",
        "MEMBER",
        "COLLATE",
        "AT",
        "UNION",
        "EXCEPT",
        "MINUS",
        "INTERSECT",
    ];
    let (mut depth, mut deepest, mut links) = (0_usize, 0, 0_usize);
    // A sign at the beginning of a value links nothing.
    let mut begins = true;
    for token in tokens {
        match (token.kind, token.value.as_str()) {
            (Kind::Symbol, open @ ("(" | "[")) => {
                depth += 1;
                deepest = deepest.max(depth);
                // `int[][]` is an array of arrays.
                links += usize::from(open == "[");
            }
            (Kind::Symbol, ")" | "]") => depth = depth.saturating_sub(1),
            (Kind::Symbol, "," | "." | ";") => {}
            (Kind::Symbol, "-" | "+") if begins => {}
            (Kind::Symbol, _) => links += 1,
            (Kind::Word, word) => links += usize::from(LINKS.iter().any(|w| w.eq_ignore_ascii_case(word))),
            _ => {}
        }
        begins = ["(", "[", ","].iter().any(|symbol| token.is_symbol(symbol));
    }
    if deepest > MAX_NESTING {
        return Err(Fault::new("54000", "a question about the catalog nests too deep"));
    }
    let intervals = tokens.iter().filter(|token| token.is("INTERVAL")).count();
    if links > MAX_LINKS || intervals > MAX_INTERVALS {
        return Err(Fault::new("54001", "a question about the catalog has too many operators"));
    }
    Ok(())
}

/// The value of a parameter.
fn bound(world: &World, text: &str) -> Result<Value, Fault> {
    // The only types that the parser cannot read are those of arrays; their elements say theirs.
    let text = match text.strip_prefix("CAST(ARRAY[").and_then(|rest| rest.rsplit_once(" AS array(")) {
        Some((inside, _)) => format!("ARRAY[{inside}"),
        None => text.to_owned(),
    };
    check_depth(&crate::text::tokens(&text)?)?;
    let expression = Parser::new(&PostgreSqlDialect {})
        .try_with_sql(&text)
        .and_then(|mut parser| parser.parse_expr())
        .map_err(|_| {
            Fault::new("0A000", "a parameter of this type is not supported in questions about the catalog")
        })?;
    query::alone(world, &expression)
}

/// What was found, as Arrow's columns.
fn answered(output: query::Output) -> Result<Answered, Fault> {
    let mut left = MAX_ANSWER;
    if !output.rows.iter().flatten().all(|value| value.fits(&mut left)) {
        return Err(Fault::new("54000", "the answer to a question about the catalog is too large")
            .hint("ask for fewer columns or rows"));
    }
    let mut columns = Vec::new();
    let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (at, (name, shape)) in output.columns.into_iter().enumerate() {
        let values = output.rows.iter().map(|row| row.get(at).unwrap_or(&Value::Null));
        let array: ArrayRef = match &shape {
            Shape::Bool => Arc::new(values.map(Value::as_bool).collect::<BooleanArray>()),
            Shape::Int2 | Shape::Int4 | Shape::Int8 | Shape::Oid => {
                Arc::new(values.map(Value::as_int).collect::<Int64Array>())
            }
            Shape::Float4 | Shape::Float8 => Arc::new(values.map(Value::as_float).collect::<Float64Array>()),
            Shape::Array(element) if matches!(**element, Shape::Text(..)) => {
                let mut list = ListBuilder::new(StringViewBuilder::new());
                for value in values {
                    let Value::List(all) = value else {
                        list.append(false);
                        continue;
                    };
                    for one in all.iter() {
                        list.values().append_option(one.text());
                    }
                    list.append(true);
                }
                Arc::new(list.finish())
            }
            _ => Arc::new(values.map(Value::text).collect::<StringViewArray>()),
        };
        fields.push(Field::new(&name, array.data_type().clone(), true));
        columns.push(Column::shaped(name, plain(shape)));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(output.rows.len()));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|e| Error::internal("an answer about the catalog makes no rows").source_is(e))?;
    Ok(Answered { columns, rows })
}

/// What these answers are made of: everything else is told as text.
fn plain(shape: Shape) -> Shape {
    match shape {
        Shape::Bool
        | Shape::Int2
        | Shape::Int4
        | Shape::Int8
        | Shape::Oid
        | Shape::Float8
        | Shape::Text(..) => shape,
        Shape::Float4 => Shape::Float8,
        Shape::Array(element) if matches!(*element, Shape::Text(..)) => Shape::Array(element),
        _ => Shape::Text(25, None),
    }
}

#[cfg(test)]
mod tests;
