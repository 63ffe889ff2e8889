//! `date_format`, `date_parse`, `format_datetime`, `parse_datetime`.

use super::print::Moment;
use super::{Pattern, joda, mysql};
use crate::registry::Family;
use crate::scalar::datetime::arithmetic::zone_of;
use crate::scalar::datetime::longs::{Prepared, build_longs, longs};
use crate::scalar::datetime::zone::Zone;
use crate::{Call, Scalar};
use arrow::array::ArrayRef;
use model::{Error, Result};
use sql::SqlType;

/// Formatting and parsing by patterns.
pub const FAMILY: Family = Family { title: "Date patterns", scalars: SCALARS, aggregates: &[] };

const FORMAT: &[&str] =
    &["(timestamp, varchar) -> varchar", "(timestamp with time zone, varchar) -> varchar"];

const SCALARS: &[Scalar] = &[
    Scalar::new("date_format", FORMAT, date_format, "Writes a timestamp by a pattern of MySQL's."),
    Scalar::new(
        "date_parse",
        &["(varchar, varchar) -> timestamp(3)"],
        date_parse,
        "Reads a timestamp by a pattern of MySQL's.",
    ),
    Scalar::new("format_datetime", FORMAT, format_datetime, "Writes a timestamp by a pattern of Joda's."),
    Scalar::new(
        "parse_datetime",
        &["(varchar, varchar) -> timestamp(3) with time zone"],
        parse_datetime,
        "Reads a timestamp by a pattern of Joda's.",
    ),
];

fn date_format(call: &Call<'_>) -> Result<ArrayRef> {
    format(call, mysql::compile)
}

fn format_datetime(call: &Call<'_>) -> Result<ArrayRef> {
    if matches!(call.arg_types.first(), Some(SqlType::TimestampTz(..))) {
        return format(call, joda::compile);
    }
    format(call, |text| {
        let pattern = joda::compile(text)?;
        if pattern.has_zone() {
            return Err(Error::invalid(format!("the pattern '{text}' asks for a zone"))
                .why("a timestamp without time zone has none")
                .hint("with_timezone(x, 'Europe/Berlin') gives it one"));
        }
        Ok(pattern)
    })
}

pub(super) fn format(call: &Call<'_>, compile: fn(&str) -> Result<Pattern>) -> Result<ArrayRef> {
    let mut pattern = Prepared::new(call, 1, compile)?;
    let times = longs(call, 0)?;
    let zone = zone_of(call.arg_types.first());
    let per_milli = (times.unit / 1000).max(1);
    call.build_strings(|row, out| {
        let Some(value) = times.get(row) else { return Ok(false) };
        let moment = Moment::new(value.div_euclid(per_milli), zone);
        pattern.get(row)?.print(&moment, out);
        Ok(true)
    })
}

fn date_parse(call: &Call<'_>) -> Result<ArrayRef> {
    // Times that name no zone are what the clocks show; those that do have no zone to be told in.
    parse(call, mysql::compile, Zone::UTC)
}

fn parse_datetime(call: &Call<'_>) -> Result<ArrayRef> {
    parse(call, joda::compile, call.session.zone)
}

pub(super) fn parse(call: &Call<'_>, compile: fn(&str) -> Result<Pattern>, zone: Zone) -> Result<ArrayRef> {
    let mut pattern = Prepared::new(call, 1, compile)?;
    let (texts, patterns) = (call.strings(0)?, call.strings(1)?);
    let pivot = i64::from(call.session.year()) - 30;
    build_longs(call, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        match pattern.get(row)?.read(text, pivot) {
            Ok((local, own)) => Ok(Some(own.unwrap_or(zone).instant(local, 1000))),
            Err(why) => {
                let shown: String = text.chars().take(200).collect();
                let form = patterns.get(row).unwrap_or_default();
                Err(Error::invalid(format!("'{shown}' cannot be read by the pattern '{form}'"))
                    .why(why)
                    .hint("TRY(…) gives NULL for such values"))
            }
        }
    })
}
