//! PostgreSQL's functions about itself, and a few others that such questions call.

use super::meter::{MAX_VALUE, too_large};
use super::query::{Run, Scope, folded, unsupported};
use super::shapes::{self, NAME, TEXT};
use super::tables;
use super::value::Value;
use crate::fault::Fault;
use crate::values::Shape;
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

/// The name of a function, without its schema.
pub(super) fn name_of(function: &Function) -> String {
    function.name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default()
}

/// The arguments of a call.
pub(super) fn arguments(function: &Function) -> Result<Vec<&Expr>, Fault> {
    match &function.args {
        FunctionArguments::None => Ok(Vec::new()),
        FunctionArguments::Subquery(_) => Ok(Vec::new()),
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Ok(e),
                _ => Err(unsupported(format!("this argument of {}", name_of(function)))),
            })
            .collect(),
    }
}

/// Whether a function is one that only these questions know: a statement without tables that calls it is a question.
pub(super) fn is_catalog_s_own(name: &str) -> bool {
    const OTHERS: [&str; 23] = [
        "current_setting",
        "set_config",
        "current_database",
        "current_schema",
        "current_schemas",
        "version",
        "obj_description",
        "col_description",
        "shobj_description",
        "format_type",
        "to_regclass",
        "to_regtype",
        "has_table_privilege",
        "has_schema_privilege",
        "has_database_privilege",
        "has_column_privilege",
        "has_any_column_privilege",
        "quote_ident",
        "quote_literal",
        "txid_current",
        "inet_server_addr",
        "inet_server_port",
        "inet_client_addr",
    ];
    OTHERS.contains(&name) || (name.starts_with("pg_") && name != "pg_typeof" && name != "pg_sleep")
}

/// Whether an item of SELECT gives a row for each element.
pub(super) fn is_set(expression: &Expr) -> bool {
    match expression {
        Expr::Function(function) => {
            matches!(name_of(function).as_str(), "unnest" | "generate_series" | "generate_subscripts")
        }
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_set(inner),
        _ => false,
    }
}

/// The elements of a function that gives a set.
pub(super) fn set(name: &str, values: &[Value]) -> Result<Vec<Value>, Fault> {
    match (name, values) {
        ("unnest", [array]) => Ok(array.elements().unwrap_or_default()),
        ("generate_subscripts", [array, ..]) => {
            let count = array.elements().map_or(0, |all| all.len());
            Ok((1..=i64::try_from(count).unwrap_or(0)).map(Value::Int).collect())
        }
        ("generate_series", [from, to, rest @ ..]) => {
            let step = rest.first().map_or(Some(1), Value::as_int);
            let (Some(from), Some(to), Some(step)) = (from.as_int(), to.as_int(), step) else {
                return Ok(Vec::new());
            };
            if step == 0 {
                return Err(Fault::new("22023", "step size cannot equal zero"));
            }
            let count = to.saturating_sub(from).checked_div(step).unwrap_or(i64::MAX);
            if !(-1..100_000).contains(&count) {
                return if count < 0 { Ok(Vec::new()) } else { Err(unsupported("so long a series")) };
            }
            let inside = |n: &i64| if step > 0 { *n <= to } else { *n >= to };
            let numbers = (0..=count.max(0)).map_while(|n| from.checked_add(n.checked_mul(step)?));
            Ok(numbers.take_while(inside).map(Value::Int).collect())
        }
        ("pg_get_keywords" | "aclexplode" | "pg_options_to_table" | "pg_get_publication_tables", _) => {
            Ok(Vec::new())
        }
        ("current_schemas" | "string_to_array" | "regexp_split_to_table", _) => {
            Err(unsupported(format!("{name} in FROM")))
        }
        (name, _) => {
            Err(Fault::new("42883", format!("function {name} does not exist, or is not supported in FROM")))
        }
    }
}

/// The shape of a set's elements.
pub(super) fn element_shape(name: &str) -> Shape {
    match name {
        "generate_series" | "generate_subscripts" => Shape::Int4,
        _ => TEXT,
    }
}

/// The shape of what a function answers.
pub(super) fn shape(function: &Function, scope: &Scope<'_>) -> Shape {
    let name = name_of(function);
    let first = || {
        let arguments = arguments(function).unwrap_or_default();
        arguments.first().map_or(TEXT, |e| shapes::of(e, scope))
    };
    match name.as_str() {
        "count"
        | "sum"
        | "row_number"
        | "pg_relation_size"
        | "pg_total_relation_size"
        | "pg_table_size"
        | "pg_database_size"
        | "pg_indexes_size"
        | "txid_current" => Shape::Int8,
        "pg_backend_pid"
        | "length"
        | "char_length"
        | "array_length"
        | "array_upper"
        | "array_lower"
        | "strpos"
        | "position"
        | "generate_series"
        | "generate_subscripts"
        | "pg_my_temp_schema"
        | "cardinality"
        | "pg_encoding_max_length"
        | "inet_server_port" => Shape::Int4,
        "min" | "max" | "coalesce" | "nullif" | "greatest" | "least" => first(),
        "bool_and"
        | "bool_or"
        | "every"
        | "pg_table_is_visible"
        | "pg_type_is_visible"
        | "pg_function_is_visible"
        | "pg_is_in_recovery"
        | "pg_is_other_temp_schema"
        | "has_table_privilege"
        | "has_schema_privilege"
        | "has_database_privilege"
        | "has_column_privilege"
        | "has_any_column_privilege"
        | "pg_has_role"
        | "has_function_privilege"
        | "has_sequence_privilege"
        | "pg_relation_is_updatable"
        | "starts_with" => Shape::Bool,
        "array_agg" | "array" | "current_schemas" | "string_to_array" | "array_remove" | "array_append"
        | "array_cat" => Shape::Array(Box::new(TEXT)),
        "current_database" | "current_schema" | "current_user" | "session_user" | "pg_get_userbyid"
        | "current_catalog" => NAME,
        _ => TEXT,
    }
}

/// The number behind a name that was cast to `regclass`.
pub(super) fn number_of(run: &Run<'_>, value: &Value) -> Option<i64> {
    let text = value.text()?;
    let clean = text.replace('"', "");
    let (schema, name) =
        clean.rsplit_once('.').map_or((None, clean.as_str()), |(schema, name)| (Some(schema), name));
    if let Some(oid) = tables::number(name)
        && schema.is_none_or(|schema| schema == "pg_catalog")
    {
        return Some(i64::from(oid));
    }
    let snapshot = &run.world.snapshot;
    let found = snapshot.named(schema.unwrap_or(&run.world.facts.schema), name);
    found.map(|relation| i64::from(relation.oid))
}

/// `x::regclass`: a name becomes a number, which compares with numbers; a number becomes the relation's name where it is
/// shown.
pub(super) fn regclass(run: &Run<'_>, value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Int(oid) => Ok(match run.world.snapshot.relation(*oid) {
            Some(relation) if relation.schema == run.world.facts.schema => {
                Value::from(relation.name.as_str())
            }
            Some(relation) => Value::from(format!("{}.{}", relation.schema, relation.name)),
            None => tables::name_of(*oid).map_or(Value::Int(*oid), Value::from),
        }),
        other => match (number_of(run, other), other.as_int()) {
            (Some(number), _) | (None, Some(number)) => Ok(Value::Int(number)),
            (None, None) => {
                let name = other.text().unwrap_or_default();
                Err(Fault::new("42P01", format!("relation \"{name}\" does not exist")))
            }
        },
    }
}

fn quoted_ident(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty();
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// Calls a function.
pub(super) fn call(run: &Run<'_>, name: &str, values: &[Value]) -> Result<Value, Fault> {
    let world = run.world;
    let snapshot = &world.snapshot;
    let text = |at: usize| values.get(at).and_then(Value::text);
    let int = |at: usize| values.get(at).and_then(Value::as_int);
    let owned = |text: Option<String>| text.map_or(Value::Null, Value::from);
    Ok(match name {
        "current_database" | "current_catalog" => Value::from(world.facts.database.as_str()),
        "current_schema" => Value::from(world.facts.schema.as_str()),
        "current_schemas" => {
            let mut all = vec![Value::from(world.facts.schema.as_str())];
            if values.first().is_some_and(Value::is_true) {
                all.insert(0, Value::from("pg_catalog"));
            }
            Value::List(all.into())
        }
        "current_user" | "session_user" | "user" | "current_role" | "pg_get_userbyid" => {
            Value::from(world.facts.user.as_str())
        }
        "version" => Value::from(world.facts.version.as_str()),
        "pg_backend_pid" => Value::Int(i64::from(world.facts.process)),
        "now"
        | "current_timestamp"
        | "clock_timestamp"
        | "transaction_timestamp"
        | "pg_postmaster_start_time"
        | "pg_conf_load_time" => Value::from(world.now.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string()),
        "current_date" => Value::from(world.now.format("%Y-%m-%d").to_string()),
        "current_setting" => match text(0).and_then(|name| world.settings.get(&name).map(str::to_owned)) {
            Some(value) => Value::from(value),
            None if values.get(1).is_some_and(Value::is_true) => Value::Null,
            None => {
                let name = text(0).unwrap_or_default();
                return Err(Fault::new("42704", format!("unrecognized configuration parameter \"{name}\"")));
            }
        },
        "set_config" => {
            return Err(unsupported("set_config").hint("write SET name = value"));
        }
        "pg_is_in_recovery" | "pg_is_other_temp_schema" | "pg_relation_is_publishable" => Value::Bool(false),
        "pg_my_temp_schema" | "txid_current" | "pg_relation_is_updatable" | "inet_server_port" => {
            Value::Int(0)
        }
        "inet_server_addr"
        | "inet_client_addr"
        | "pg_get_expr"
        | "pg_get_constraintdef"
        | "pg_get_indexdef"
        | "pg_get_serial_sequence"
        | "pg_get_functiondef"
        | "pg_get_triggerdef"
        | "pg_get_ruledef"
        | "pg_get_partkeydef"
        | "shobj_description"
        | "pg_get_function_arguments"
        | "pg_get_function_result"
        | "pg_get_statisticsobjdef_columns"
        | "pg_tablespace_location"
        | "pg_get_partition_constraintdef" => Value::Null,
        "pg_table_is_visible" => {
            let oid = int(0);
            match oid.and_then(|oid| snapshot.relation(oid)) {
                Some(relation) => (relation.schema == world.facts.schema).into(),
                None => oid.is_some_and(|oid| tables::name_of(oid).is_some()).into(),
            }
        }
        "pg_type_is_visible"
        | "pg_function_is_visible"
        | "pg_operator_is_visible"
        | "pg_collation_is_visible"
        | "pg_has_role"
        | "has_table_privilege"
        | "has_schema_privilege"
        | "has_database_privilege"
        | "has_column_privilege"
        | "has_any_column_privilege"
        | "has_function_privilege"
        | "has_sequence_privilege"
        | "has_type_privilege"
        | "pg_statistics_obj_is_visible"
        | "has_tablespace_privilege" => values.iter().all(|v| !v.is_null()).then_some(true).into(),
        "format_type" => int(0).map(|oid| shapes::shown(oid, int(1))).map_or(Value::Null, Value::from),
        "obj_description" => {
            let oid = int(0);
            let relation = oid.and_then(|oid| snapshot.relation(oid)).and_then(|r| r.description.clone());
            let of_namespace = || {
                snapshot
                    .namespaces
                    .iter()
                    .find(|n| Some(i64::from(n.oid)) == oid)
                    .and_then(|n| n.description.clone())
            };
            owned(relation.or_else(of_namespace))
        }
        "col_description" => {
            let relation = int(0).and_then(|oid| snapshot.relation(oid));
            let at = int(1).and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1));
            let column = relation.zip(at).and_then(|(relation, at)| relation.columns.get(at));
            owned(column.and_then(|column| column.description.clone()))
        }
        "pg_get_viewdef" => {
            let relation = values.first().and_then(|v| v.as_int().or_else(|| number_of(run, v)));
            owned(relation.and_then(|oid| snapshot.relation(oid)).and_then(|r| r.view.clone()))
        }
        "pg_encoding_to_char" => Value::from("UTF8"),
        "pg_char_to_encoding" => Value::Int(6),
        "to_regclass" => match values.first() {
            Some(value) => number_of(run, value).map_or(Value::Null, Value::Int),
            None => Value::Null,
        },
        "to_regtype" => {
            let name = text(0).unwrap_or_default();
            let found = shapes::TYPES.iter().find(|t| t.name == name || t.shown == name);
            found.map(|t| t.oid).into()
        }
        "pg_relation_size"
        | "pg_total_relation_size"
        | "pg_table_size"
        | "pg_indexes_size"
        | "pg_database_size" => {
            // What lies in the lake is not summed up for a list.
            Value::Null
        }
        "pg_size_pretty" => owned(int(0).map(|bytes| format!("{bytes} bytes"))),
        "quote_ident" => owned(text(0).map(|text| quoted_ident(&text))),
        "quote_literal" => owned(text(0).map(|text| sql::quote_string(&text))),
        "coalesce" => values.iter().find(|v| !v.is_null()).cloned().unwrap_or(Value::Null),
        "nullif" => match values {
            [a, b] if a.compare(b)? == Some(std::cmp::Ordering::Equal) => Value::Null,
            [a, ..] => a.clone(),
            [] => Value::Null,
        },
        "concat" => joined(values, "")?,
        "concat_ws" => match text(0) {
            Some(separator) => joined(values.get(1..).unwrap_or_default(), &separator)?,
            None => Value::Null,
        },
        "unnest" | "generate_series" | "generate_subscripts" => Value::List(set(name, values)?.into()),
        _ if values.iter().any(Value::is_null) => Value::Null,
        "lower" => owned(text(0).map(|text| text.to_lowercase())),
        "upper" => owned(text(0).map(|text| text.to_uppercase())),
        "length" | "char_length" => text(0).and_then(|text| i64::try_from(text.chars().count()).ok()).into(),
        "btrim" | "trim" => owned(text(0).map(|text| text.trim().to_owned())),
        "rtrim" => owned(text(0).map(|text| text.trim_end().to_owned())),
        "replace" => match (text(0), text(1), text(2)) {
            (Some(all), Some(from), Some(to)) if !from.is_empty() => {
                let more = all.matches(from.as_str()).count().saturating_mul(to.len());
                if all.len().saturating_add(more) > 2 * MAX_VALUE {
                    return Err(too_large());
                }
                Value::from(all.replace(&from, &to))
            }
            (all, ..) => owned(all),
        },
        "position" => {
            let (part, whole) = (text(0).unwrap_or_default(), text(1).unwrap_or_default());
            let at = whole
                .find(&part)
                .map_or(0, |at| whole.get(..at).map_or(0, |before| before.chars().count()) + 1);
            i64::try_from(at).ok().into()
        }
        "strpos" => {
            return call(
                run,
                "position",
                &[values.get(1).cloned().into_value(), values.first().cloned().into_value()],
            );
        }
        "substring" | "substr" => {
            let from = int(1).unwrap_or(1);
            let skip = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
            let take = int(2).map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
            owned(text(0).map(|text| text.chars().skip(skip).take(take).collect()))
        }
        "left" => {
            let take = int(1).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            owned(text(0).map(|text| text.chars().take(take).collect()))
        }
        "split_part" => {
            let at = int(2).and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1)).unwrap_or(0);
            let (text, separator) = (text(0).unwrap_or_default(), text(1).unwrap_or_default());
            Value::from(text.split(separator.as_str()).nth(at).unwrap_or_default())
        }
        "regexp_replace" => {
            let (whole, pattern, with) =
                (text(0).unwrap_or_default(), text(1).unwrap_or_default(), text(2).unwrap_or_default());
            let regex = regex::RegexBuilder::new(&pattern).size_limit(1 << 20).build();
            let regex =
                regex.map_err(|_| Fault::new("2201B", format!("invalid regular expression: {pattern}")))?;
            let (with, references) = (with.replace('$', "$$").replace('\\', "$"), with.matches('\\').count());
            let limit = if text(3).is_some_and(|flags| flags.contains('g')) { 0 } else { 1 };
            let found = regex.find_iter(&whole).take(if limit == 0 { usize::MAX } else { limit });
            let mut size = whole.len();
            for one in found {
                size = size.saturating_add(with.len()).saturating_add(one.len().saturating_mul(references));
            }
            if size > 2 * MAX_VALUE {
                return Err(too_large());
            }
            Value::from(regex.replacen(&whole, limit, with.as_str()).into_owned())
        }
        "string_to_array" => {
            let (text, separator) = (text(0).unwrap_or_default(), text(1).unwrap_or_default());
            Value::List(text.split(separator.as_str()).map(Value::from).collect())
        }
        "array_to_string" => {
            let parts = values.first().and_then(Value::elements).unwrap_or_default();
            joined(&parts, &text(1).unwrap_or_default())?
        }
        "array_length" | "array_upper" | "cardinality" => {
            let count = values.first().and_then(Value::elements).map_or(0, |all| all.len());
            if count == 0 && name != "cardinality" { Value::Null } else { i64::try_from(count).ok().into() }
        }
        "array_lower" => Value::Int(1),
        "array_position" => {
            let all = values.first().and_then(Value::elements).unwrap_or_default();
            let wanted = values.get(1).map(Value::key).unwrap_or_default();
            let at = all.iter().position(|value| value.key() == wanted);
            at.and_then(|at| i64::try_from(at + 1).ok()).into()
        }
        "starts_with" => text(0).zip(text(1)).map(|(text, start)| text.starts_with(&start)).into(),
        "greatest" | "least" => {
            let wanted =
                if name == "greatest" { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less };
            let mut best = values.first().cloned().into_value();
            for value in values {
                if value.compare(&best)? == Some(wanted) {
                    best = value.clone();
                }
            }
            best
        }
        other => {
            return Err(Fault::new(
                "42883",
                format!("function {other} does not exist in questions about the catalog"),
            ));
        }
    })
}

/// The texts of values, joined; NULLs are left out.
fn joined(values: &[Value], separator: &str) -> Result<Value, Fault> {
    let mut all = String::new();
    for (at, text) in values.iter().filter_map(Value::text).enumerate() {
        if at > 0 {
            all.push_str(separator);
        }
        all.push_str(&text);
        if all.len() > MAX_VALUE {
            return Err(too_large());
        }
    }
    Ok(Value::from(all))
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Option<Value> {
    fn into_value(self) -> Value {
        self.unwrap_or(Value::Null)
    }
}
