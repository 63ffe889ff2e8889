//! Forms that look like functions but are not: their arguments are not simply evaluated first.

use super::call::Parts;
use super::{At, Typed};
use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::runtime;
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Case, Expr, lit};
use model::{Error, Result};
use sql::SqlType;
use sqlparser::ast::{DateTimeField, Expr as Ast, Function, FunctionArguments};

/// Their names, for suggestions.
pub(crate) const NAMES: &[&str] = &[
    "coalesce",
    "nullif",
    "if",
    "try",
    "typeof",
    "grouping",
    "now",
    "current_date",
    "current_timestamp",
    "current_time",
    "localtime",
    "localtimestamp",
    "current_user",
    "current_catalog",
    "current_schema",
    "current_timezone",
    "json_value",
    "json_query",
    "json_exists",
    "json_array",
    "json_object",
];

impl Analyzer<'_> {
    /// The value if the call is one of these forms.
    pub(super) fn special(
        &self,
        function: &Function,
        parts: &Parts<'_>,
        at: At<'_>,
    ) -> Result<Option<Typed>> {
        let args = parts.args.as_slice();
        let count = |least: usize, most: usize| {
            if (least..=most).contains(&args.len()) {
                return Ok(());
            }
            let wanted = if least == most { format!("{least}") } else { format!("at least {least}") };
            Err(Error::invalid(format!("{} takes {wanted} arguments, not {}", parts.name, args.len())))
        };
        Ok(Some(match parts.name.as_str() {
            "coalesce" => {
                count(2, usize::MAX)?;
                self.coalesce(args, at)?
            }
            "nullif" => {
                count(2, 2)?;
                self.nullif(args[0], args[1], at)?
            }
            "if" => {
                count(2, 3)?;
                self.if_form(args, at)?
            }
            "try" => {
                count(1, 1)?;
                let (body, sql_type) = self.bind_thunk(args[0], at)?;
                Typed::new(runtime::try_call(body, &sql_type), sql_type)
            }
            "typeof" => {
                count(1, 1)?;
                super::literal::text_literal(&self.typed(args[0], at)?.sql_type.to_string())
            }
            "grouping" => {
                count(1, 31)?;
                self.grouping(args, at)?
            }
            _ => return self.session_value(function, parts),
        }))
    }

    fn coalesce(&self, args: &[&Ast], at: At<'_>) -> Result<Typed> {
        let values = args.iter().map(|a| Ok((self.typed(a, at)?, span_of(a)))).collect::<Result<Vec<_>>>()?;
        let (exprs, sql_type) = self.unified(values, "COALESCE")?;
        Ok(Typed::new(datafusion::functions::core::expr_fn::coalesce(exprs), sql_type))
    }

    /// NULL if both are equal, else the first as it is.
    fn nullif(&self, first: &Ast, second: &Ast, at: At<'_>) -> Result<Typed> {
        let value = self.typed(first, at)?;
        let other = self.typed(second, at)?;
        let equal = self.equal(value.clone(), other)?;
        let null = self.cast(Typed::new(lit(ScalarValue::Null), SqlType::Unknown), &value.sql_type, false)?;
        let expr = Expr::Case(Case {
            expr: None,
            when_then_expr: vec![(Box::new(equal), Box::new(null.expr))],
            else_expr: Some(Box::new(value.expr)),
        });
        Ok(Typed::new(expr, value.sql_type))
    }

    fn if_form(&self, args: &[&Ast], at: At<'_>) -> Result<Typed> {
        let condition = self.truth(args[0], at)?;
        let values =
            args[1..].iter().map(|a| Ok((self.typed(a, at)?, span_of(a)))).collect::<Result<Vec<_>>>()?;
        let (exprs, sql_type) = self.unified(values, "IF")?;
        let mut exprs = exprs.into_iter();
        let then = exprs.next().ok_or_else(|| Error::internal("IF lost its result"))?;
        let expr = Expr::Case(Case {
            expr: None,
            when_then_expr: vec![(Box::new(condition), Box::new(then))],
            else_expr: exprs.next().map(Box::new),
        });
        Ok(Typed::new(expr, sql_type))
    }

    /// Bits that say which of the columns are not grouped by in this row.
    fn grouping(&self, args: &[&Ast], at: At<'_>) -> Result<Typed> {
        if !at.rules.aggregates {
            return Err(Error::invalid(format!("grouping() cannot stand in {}", at.rules.place)));
        }
        let exprs = args.iter().map(|a| Ok(self.typed(a, at)?.expr)).collect::<Result<Vec<_>>>()?;
        Ok(Typed::new(runtime::grouping(exprs), SqlType::BigInt))
    }

    /// Values that are the same for the whole query.
    fn session_value(&self, function: &Function, parts: &Parts<'_>) -> Result<Option<Typed>> {
        let precision = match (&function.args, parts.args.first()) {
            (FunctionArguments::List(_), Some(Ast::Value(v))) => v.value.to_string().parse().ok(),
            _ => None,
        };
        let bare = parts.args.is_empty() || precision.is_some();
        if !bare {
            return Ok(None);
        }
        let zone = self.session.zone;
        let local = || {
            let now = self.session.now();
            now.naive_utc() + chrono::Duration::seconds(zone.offset(now.timestamp()))
        };
        let text = |t: &str| Ok(Some(super::literal::text_literal(t)));
        match parts.name.as_str() {
            "now" | "current_timestamp" => {
                let name = zone.name();
                let sql_type = SqlType::TimestampTz(precision.unwrap_or(3).min(9), name);
                self.instant(sql_type)
            }
            "localtimestamp" => {
                let naive = local().and_utc();
                let value = ScalarValue::TimestampMillisecond(Some(naive.timestamp_millis()), None);
                Ok(Some(Typed::new(lit(value), SqlType::Timestamp(3))))
            }
            "current_date" => {
                let epoch = NaiveDate::default();
                let days = local().date().signed_duration_since(epoch).num_days();
                let days = i32::try_from(days).unwrap_or(i32::MAX);
                Ok(Some(Typed::new(lit(ScalarValue::Date32(Some(days))), SqlType::Date)))
            }
            "localtime" | "current_time" => {
                let since = local().time().signed_duration_since(chrono::NaiveTime::MIN);
                let micros = since.num_milliseconds() * 1000;
                Ok(Some(Typed::new(lit(ScalarValue::Time64Microsecond(Some(micros))), SqlType::Time(3))))
            }
            "current_timezone" => text(&zone.name()),
            "current_user" => text(&self.session.user),
            "current_catalog" => text(&self.session.catalog),
            "current_schema" => text(&self.session.schema),
            _ => Ok(None),
        }
    }

    fn instant(&self, sql_type: SqlType) -> Result<Option<Typed>> {
        let started = self.session.now();
        let SqlType::TimestampTz(_, zone) = &sql_type else { return Ok(None) };
        use arrow::datatypes::{DataType, TimeUnit};
        let value = match sql_type.to_arrow() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                ScalarValue::TimestampMillisecond(Some(started.timestamp_millis()), Some(zone.clone()))
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                ScalarValue::TimestampMicrosecond(Some(started.timestamp_micros()), Some(zone.clone()))
            }
            _ => ScalarValue::TimestampNanosecond(started.timestamp_nanos_opt(), Some(zone.clone())),
        };
        Ok(Some(Typed::new(lit(value), sql_type)))
    }

    /// `EXTRACT(hour FROM x)`.
    pub(super) fn extract(&self, field: &DateTimeField, expr: &Ast, at: At<'_>) -> Result<Typed> {
        let value = self.typed(expr, at)?;
        let name = field.to_string().to_lowercase();
        self.function("$extract", vec![super::literal::text_literal(&name), value])
    }

    /// `x AT TIME ZONE 'Europe/Berlin'`: the zone becomes part of the type, so it has to be known now.
    pub(super) fn at_time_zone(&self, value: &Ast, zone: &Ast, at: At<'_>) -> Result<Typed> {
        let zone_span = span_of(zone);
        let value = self.typed(value, at)?;
        let zone = self.typed(zone, at)?;
        self.in_zone(value, &zone).map_err(|e| self.fail(zone_span, e))
    }

    pub(crate) fn in_zone(&self, value: Typed, zone: &Typed) -> Result<Typed> {
        let name = match zone.literal() {
            Some(ScalarValue::Utf8View(Some(name))) => name.clone(),
            _ => {
                return Err(Error::unsupported("the time zone has to be a constant text")
                    .why("the zone belongs to the column's type here, not to each value"));
            }
        };
        let zone = functions::scalar::datetime::zone_name(&name)?;
        let precision = match &value.sql_type {
            SqlType::Timestamp(p) | SqlType::TimestampTz(p, _) => *p,
            SqlType::Date => 3,
            SqlType::Unknown => 3,
            other => return Err(Error::invalid(format!("a value of type {other} has no time zone"))),
        };
        // A timestamp without a zone is one in the session's zone.
        let session_zone = self.session.zone.name();
        let value = self.cast(value, &SqlType::TimestampTz(precision, session_zone), false)?;
        self.cast(value, &SqlType::TimestampTz(precision, zone), false)
    }
}

/// Puts the zone that constant arguments name (`from_unixtime(x, 'Asia/Tokyo')`) into the type of the result, to which it
/// belongs here.
pub(super) fn settle_zone(name: &str, return_type: &mut SqlType, args: &[Expr]) -> Result<()> {
    use functions::scalar::datetime::{offset_name, zone_arguments, zone_name};
    let SqlType::TimestampTz(_, zone) = return_type else { return Ok(()) };
    let Some(named) = zone_arguments(name, args.len()).and_then(|range| args.get(range)) else {
        return Ok(());
    };
    let values: Vec<&ScalarValue> = named
        .iter()
        .filter_map(|arg| match arg {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        })
        .collect();
    *zone = match values.as_slice() {
        [ScalarValue::Utf8View(Some(name))] => zone_name(name)?,
        [ScalarValue::Int64(Some(hours)), ScalarValue::Int64(Some(minutes))] => {
            offset_name(*hours, *minutes)?
        }
        // With a NULL everything is NULL, whatever the zone.
        values if values.len() == named.len() && values.iter().any(|v| v.is_null()) => return Ok(()),
        _ => {
            return Err(Error::unsupported(format!("the time zone of {name} has to be constant"))
                .why("the zone belongs to the column's type here, not to each value"));
        }
    };
    Ok(())
}
