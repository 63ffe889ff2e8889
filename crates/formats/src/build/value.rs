//! One text value into a column, by the column's type.

use super::nulls::Nulls;
use super::text::{Block, TextBuilder};
use super::{Builder, KeyRules, Prim, Rejected};
use crate::parse::{self, Instant, TimePattern};
use arrow::array::BooleanBufferBuilder;
use arrow::datatypes::{ArrowPrimitiveType, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A value's text: somewhere in a block, or on its own.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) bytes: &'a [u8],
    /// The block it stands in, and where.
    place: Option<(&'a Block, usize)>,
}

impl<'a> Field<'a> {
    /// The piece of a block.
    #[inline]
    pub(crate) fn within(block: &'a Block, start: usize, end: usize) -> Self {
        match block.bytes().get(start..end) {
            Some(bytes) => Self { bytes, place: Some((block, start)) },
            None => Self { bytes: &[], place: None },
        }
    }

    /// A text that will be gone, so that it has to be copied.
    pub(crate) fn own(bytes: &'a [u8]) -> Self {
        Self { bytes, place: None }
    }

    /// A part of it.
    pub(crate) fn part(&self, start: usize, end: usize) -> Self {
        match self.bytes.get(start..end) {
            Some(bytes) => Self { bytes, place: self.place.map(|(block, at)| (block, at + start)) },
            None => Self { bytes: &[], place: None },
        }
    }

    #[inline]
    fn push_to(&self, text: &mut TextBuilder) {
        match self.place {
            Some((block, start)) => text.push_in(block, start, start + self.bytes.len()),
            None => text.push_own(self.bytes),
        }
    }
}

/// What numbers in columns of dates and timestamps mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// Nothing.
    No,
    /// Days and milliseconds, as OpenCSVSerde has it.
    Millis,
    /// Days; seconds, or milliseconds from 13 digits on, as the JSON serde has it.
    Guess,
}

/// Why a field is wrong that no column is for.
pub(crate) const NO_COLUMN: Rejected =
    "is a field of none of the rows that were looked at to find the columns";

/// How texts are understood.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Tried first for timestamps.
    pub(crate) time_formats: Vec<TimePattern>,
    /// Whether spaces around numbers, dates and booleans do not matter.
    pub(crate) trim: bool,
    /// What numbers mean in columns of times.
    pub(crate) epoch: Epoch,
    /// The separators of nested values, and what takes their meaning.
    pub(crate) separators: [u8; 8],
    pub(crate) escape: Option<u8>,
    pub(crate) escaped_line_ends: bool,
    /// Whether nested values are JSON.
    pub(crate) nested_json: bool,
    /// The text that means NULL.
    pub(crate) null_text: Option<Vec<u8>>,
    /// How JSON's keys stand for names.
    pub(crate) keys: KeyRules,
    /// Whether a JSON field that there is no column for is a mistake, not skipped.
    pub(crate) all_fields: bool,
}

impl Rules {
    pub(crate) fn new(formats: &[String]) -> model::Result<Self> {
        Ok(Self {
            time_formats: formats.iter().map(|f| TimePattern::compile(f)).collect::<model::Result<_>>()?,
            trim: true,
            epoch: Epoch::No,
            separators: [1, 2, 3, 4, 5, 6, 7, 8],
            escape: None,
            escaped_line_ends: false,
            nested_json: false,
            null_text: None,
            keys: KeyRules::default(),
            all_fields: false,
        })
    }

    /// The instant that a text means.
    pub(crate) fn instant(&self, text: &[u8]) -> Option<Instant> {
        if let Some(found) = self.time_formats.iter().find_map(|pattern| pattern.parse(text)) {
            return Some(found);
        }
        parse::instant(text).or_else(|| self.epoch_instant(text))
    }

    fn epoch_instant(&self, text: &[u8]) -> Option<Instant> {
        if self.epoch == Epoch::No {
            return None;
        }
        let millis = self.epoch == Epoch::Millis || (text.len() >= 13 && !text.contains(&b'.'));
        let nanos = parse::decimal(text, 38, if millis { 6 } else { 9 })?;
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
        Some(Instant { seconds, nanos: u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()? })
    }

    pub(crate) fn date(&self, text: &[u8]) -> Option<i32> {
        if let Some(date) = parse::date(text) {
            return Some(date);
        }
        if let Some(found) = self.time_formats.iter().find_map(|pattern| pattern.parse(text)) {
            return i32::try_from(found.seconds.div_euclid(86_400)).ok();
        }
        if self.epoch == Epoch::No { None } else { i32::try_from(parse::integer(text)?).ok() }
    }
}

/// An instant in that unit; none if it lies too far away.
pub(crate) fn in_unit(instant: Instant, unit: TimeUnit) -> Option<i64> {
    let (per_second, nanos) = match unit {
        TimeUnit::Second => (1, 1_000_000_000),
        TimeUnit::Millisecond => (1000, 1_000_000),
        TimeUnit::Microsecond => (1_000_000, 1000),
        TimeUnit::Nanosecond => (1_000_000_000, 1),
    };
    instant.seconds.checked_mul(per_second)?.checked_add(i64::from(instant.nanos / nanos))
}

#[inline]
fn push<T: ArrowPrimitiveType>(
    prim: &mut Prim<T>,
    value: Option<T::Native>,
    why: Rejected,
) -> Result<(), Rejected> {
    match value {
        Some(value) => {
            prim.push(value);
            Ok(())
        }
        None => {
            prim.push_null();
            Err(why)
        }
    }
}

#[inline]
fn push_integer<T: ArrowPrimitiveType>(prim: &mut Prim<T>, text: &[u8]) -> Result<(), Rejected>
where
    T::Native: TryFrom<i64>,
{
    let value = parse::integer(text);
    let why = if value.is_some() { "does not fit the column's type" } else { "is no integer" };
    push(prim, value.and_then(|value| T::Native::try_from(value).ok()), why)
}

fn push_boolean(
    values: &mut BooleanBufferBuilder,
    nulls: &mut Nulls,
    value: Option<bool>,
) -> Result<(), Rejected> {
    values.append(value.unwrap_or(false));
    nulls.push(value.is_some());
    if value.is_some() { Ok(()) } else { Err("is no boolean") }
}

impl Builder {
    /// Adds a point in time to a column of timestamps.
    #[inline]
    pub(crate) fn push_instant(&mut self, instant: Option<Instant>) -> Result<(), Rejected> {
        match self {
            Builder::Timestamp(prim, _, unit) => {
                push(prim, instant.and_then(|instant| in_unit(instant, *unit)), "is no timestamp")
            }
            other => {
                other.push_null();
                Err("is no column of timestamps")
            }
        }
    }

    /// Adds a value from its text. What does not convert becomes NULL and is answered; `level` is how deep it is nested
    /// in Hive's separators.
    #[inline]
    pub(crate) fn push_text(
        &mut self,
        field: Field<'_>,
        rules: &Rules,
        level: usize,
    ) -> Result<(), Rejected> {
        if let Builder::Text(text) = self {
            field.push_to(text);
            return Ok(());
        }
        let text = if rules.trim { parse::trimmed(field.bytes) } else { field.bytes };
        if text.is_empty() && !matches!(self, Builder::Binary(_)) {
            // Nothing is no value, but no mistake either.
            self.push_null();
            return Ok(());
        }
        match self {
            Builder::Int32(prim) => push_integer(prim, text),
            Builder::Int64(prim) => push_integer(prim, text),
            Builder::Float64(prim) => push(prim, parse::float64(parse::trimmed(text)), "is no number"),
            Builder::Timestamp(prim, _, unit) => {
                let value = rules.instant(text).and_then(|instant| in_unit(instant, *unit));
                push(prim, value, "is no timestamp")
            }
            Builder::Date(prim) => push(prim, rules.date(text), "is no date"),
            Builder::Text(_) => Ok(()),
            _ => self.push_rarer(field, text, rules, level),
        }
    }

    fn push_rarer(
        &mut self,
        field: Field<'_>,
        text: &[u8],
        rules: &Rules,
        level: usize,
    ) -> Result<(), Rejected> {
        match self {
            Builder::Boolean(values, nulls) => push_boolean(values, nulls, parse::boolean(text)),
            Builder::Int8(prim) => push_integer(prim, text),
            Builder::Int16(prim) => push_integer(prim, text),
            Builder::Float32(prim) => push(prim, parse::float32(parse::trimmed(text)), "is no number"),
            Builder::Decimal(prim, p, s) => push(prim, parse::decimal(text, *p, *s), "is no such decimal"),
            Builder::Time(prim, _, nanos) => {
                push(prim, parse::time_of_day(text).map(|value| value / *nanos), "is no time of the day")
            }
            Builder::YearMonth(prim) => push(prim, year_month(text), "is no interval such as `1-2`"),
            Builder::DaySecond(prim) => {
                push(prim, day_second(text), "is no interval such as `2 03:04:05.678`")
            }
            Builder::Binary(bytes) => {
                // Hive writes bytes as base64, and takes what is none as it is.
                match STANDARD.decode(text) {
                    Ok(plain) => bytes.push_own(&plain),
                    Err(_) => field.push_to(bytes),
                }
                Ok(())
            }
            Builder::List(_) | Builder::Map(_) | Builder::Row(_) => self.push_nested(field, rules, level),
            _ => {
                self.push_null();
                Err("has a type without values")
            }
        }
    }
}

/// `[-]years-months`
fn year_month(text: &[u8]) -> Option<i32> {
    let (negative, text) = signed(text);
    let at = text.iter().position(|b| *b == b'-')?;
    let (years, months) = (parse::integer(text.get(..at)?)?, parse::integer(text.get(at + 1..)?)?);
    if !(0..12).contains(&months) {
        return None;
    }
    let all = i32::try_from(years.checked_mul(12)?.checked_add(months)?).ok()?;
    Some(if negative { -all } else { all })
}

/// `[-]days HH:mm:ss.SSS`
fn day_second(text: &[u8]) -> Option<i64> {
    let (negative, text) = signed(text);
    let at = text.iter().position(|b| *b == b' ')?;
    let days = parse::integer(text.get(..at)?)?;
    let of_day = parse::time_of_day(text.get(at + 1..)?)? / 1_000_000;
    let all = days.checked_mul(86_400_000)?.checked_add(of_day)?;
    Some(if negative { -all } else { all })
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    }
}
