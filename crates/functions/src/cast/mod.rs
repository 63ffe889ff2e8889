//! Casts: one value turned into another type, with Trino's rules and Trino's errors.
//!
//! Each kernel makes NULL of what it cannot turn; `check` then raises the error for the first such value, unless it is
//! a `TRY_CAST`. Values of `char(n)` are kept, compared and cast to `varchar` without
//! their trailing spaces; only results show them filled up.

mod binary;
pub(crate) mod decimal;
mod nested;
mod number;
mod text;
mod time;

pub(crate) use time::rescale;

use crate::Session;
use crate::render::Renderer;
use crate::scalar::json::convert::{can_be_json, can_be_read, from_json, to_json, try_from_json};
use arrow::array::{Array, ArrayRef, new_null_array};
use model::{Error, Result};
use sql::SqlType;

/// What happens to a value that cannot be turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnError {
    /// `CAST`: the query fails.
    Fail,
    /// `TRY_CAST`: it becomes NULL.
    Null,
}

/// One cast of one column.
#[derive(Debug, Clone, Copy)]
struct Cast<'a> {
    array: &'a ArrayRef,
    from: &'a SqlType,
    to: &'a SqlType,
    session: &'a Session,
}

/// Turns every value into the other type.
pub fn cast(
    array: &ArrayRef,
    from: &SqlType,
    to: &SqlType,
    session: &Session,
    on_error: OnError,
) -> Result<ArrayRef> {
    if *from == SqlType::Unknown {
        return Ok(new_null_array(&to.to_arrow(), array.len()));
    }
    if from == to {
        return Ok(array.clone());
    }
    if !is_castable(from, to) {
        return Err(Error::invalid(format!("cannot cast {from} to {to}")));
    }
    if is_plain(from, to) {
        return plain(array, to);
    }
    let cast = Cast { array, from, to, session };
    let turned = cast.run(on_error)?;
    // A JSON null becomes NULL without being an error, and JSON's own errors say more.
    if on_error == OnError::Fail && *from != SqlType::Json {
        cast.check(&turned)?;
    }
    Ok(turned)
}

/// Whether there is a cast at all.
pub fn is_castable(from: &SqlType, to: &SqlType) -> bool {
    use SqlType::*;
    let number = |t: &SqlType| t.is_numeric() || *t == Boolean;
    match (from, to) {
        (Unknown, _) => true,
        _ if from == to => true,
        (_, Unknown | Function(..)) | (Function(..), _) => false,
        (Json, to) => can_be_read(to),
        (from, Json) => can_be_json(from),
        (Array(a), Array(b)) => is_castable(a, b),
        (Map(k1, v1), Map(k2, v2)) => is_castable(k1, k2) && is_castable(v1, v2),
        (Row(a), Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_castable(&a.sql_type, &b.sql_type))
        }
        (a, b) if number(a) && number(b) => true,
        (a, b) if a.is_text() && b.is_text() => true,
        (a, Varchar(_)) => {
            number(a)
                || matches!(a, Date | Time(_) | Timestamp(_) | TimestampTz(..) | Uuid | IpAddress)
                || matches!(a, IntervalYearMonth | IntervalDaySecond)
        }
        (a, b) if a.is_text() => {
            number(b)
                || matches!(b, Date | Time(_) | Timestamp(_) | TimestampTz(..) | Uuid | IpAddress | Varbinary)
        }
        (Date, Timestamp(_) | TimestampTz(..)) => true,
        (Time(_), Time(_) | Timestamp(_) | TimestampTz(..)) => true,
        (Timestamp(_) | TimestampTz(..), Date | Time(_) | Timestamp(_) | TimestampTz(..)) => true,
        (Varbinary, Uuid | IpAddress | HyperLogLog) | (Uuid | IpAddress | HyperLogLog, Varbinary) => true,
        _ => false,
    }
}

/// Whether Arrow's own cast does exactly the same and cannot fail, so that a plan may use it and still compare with the
/// statistics of files.
pub fn is_plain(from: &SqlType, to: &SqlType) -> bool {
    use SqlType::*;
    match (from, to) {
        _ if from == to => true,
        (a, b) if a.is_integer() && b.is_integer() => sql::coerce_cost(a, b).is_some(),
        (a, Real | Double) if a.is_integer() => true,
        (Real, Double) => true,
        (a, Decimal(..)) if a.is_integer() => sql::coerce_cost(a, to).is_some(),
        (Decimal(p1, s1), Decimal(p2, s2)) => s2 >= s1 && p2 - s2 >= p1.saturating_sub(*s1),
        (Varchar(_) | Char(_), Varchar(None)) => true,
        (Varchar(Some(a)) | Char(a), Varchar(Some(b))) | (Char(a), Char(b)) => a <= b,
        (Date, Timestamp(p)) => *p <= 3,
        (Time(a), Time(b)) | (Timestamp(a), Timestamp(b)) | (TimestampTz(a, _), TimestampTz(b, _)) => {
            a <= b && same_unit(from, to)
        }
        (HyperLogLog, Varbinary) | (Varbinary, HyperLogLog) => true,
        _ => false,
    }
}

fn same_unit(a: &SqlType, b: &SqlType) -> bool {
    use crate::scalar::datetime::longs::unit_of;
    unit_of(&a.to_arrow()) == unit_of(&b.to_arrow())
}

fn plain(array: &ArrayRef, to: &SqlType) -> Result<ArrayRef> {
    let data_type = to.to_arrow();
    if *array.data_type() == data_type {
        return Ok(array.clone());
    }
    if matches!(to, SqlType::TimestampTz(..)) {
        // Only the zone's name changes, which Arrow would want to understand.
        use crate::scalar::datetime::longs::{from_longs, to_longs};
        return from_longs(to_longs(array)?, &data_type);
    }
    arrow::compute::cast(array, &data_type).map_err(arrow_error)
}

impl Cast<'_> {
    fn run(&self, on_error: OnError) -> Result<ArrayRef> {
        use SqlType::*;
        match (self.from, self.to) {
            (from, Json) => to_json(self.array, from),
            (Json, to) if on_error == OnError::Fail => from_json(self.array, to),
            (Json, to) => try_from_json(self.array, to),
            (Array(_), _) | (Map(..), _) | (Row(_), _) => nested::cast(self, on_error),
            (a, b) if a.is_text() && b.is_text() => text::text_to_text(self),
            (a, _) if a.is_text() => text::from_text(self),
            (Varbinary, _) | (_, Varbinary) => binary::cast(self),
            (_, Varchar(limit)) => text::to_text(self, *limit),
            (_, Decimal(p, s)) => decimal::to_decimal(self, *p, *s),
            (Decimal(_, s), _) => decimal::from_decimal(self, *s),
            (a, _) if a.is_numeric() || *a == Boolean => number::cast(self),
            _ => time::cast(self),
        }
    }

    /// Raises the error for the first value that could not be turned.
    fn check(&self, turned: &ArrayRef) -> Result<()> {
        if turned.null_count() == self.array.null_count() {
            return Ok(());
        }
        let row = (0..turned.len()).find(|row| turned.is_null(*row) && self.array.is_valid(*row));
        row.map_or(Ok(()), |row| Err(self.refusal(row)))
    }

    /// The error for the value in this row.
    fn refusal(&self, row: usize) -> Error {
        let mut value = String::new();
        Renderer::new(self.from).write(self.array, row, &mut value);
        let why = reason(self.from, self.to, &value);
        if value.chars().count() > 200 {
            value = value.chars().take(200).chain(['…']).collect();
        }
        Error::invalid(format!("cannot cast '{value}' to {}", self.to))
            .why(why)
            .hint(format!("TRY_CAST(x AS {}) gives NULL for such values", self.to))
    }

    /// What an unexpected Arrow type is answered with.
    fn wrong_array(&self) -> Error {
        Error::internal(format!("{} came as {}", self.from, self.array.data_type()))
    }
}

fn reason(from: &SqlType, to: &SqlType, value: &str) -> String {
    use SqlType::*;
    match (from, to) {
        (a, Varchar(Some(n))) if !a.is_text() => format!("its text is longer than {n} characters"),
        (a, Decimal(p, s)) if a.is_text() && decimal::is_number(value) => too_large(*p, *s),
        (a, b) if a.is_text() && b.is_integer() && value.trim().parse::<i128>().is_ok() => {
            format!("it is out of range for {to}")
        }
        (a, _) if a.is_text() => expected(to),
        (Real | Double, _) if value == "NaN" => "it is not a number".into(),
        (_, Decimal(p, s)) => too_large(*p, *s),
        _ => format!("it is out of range for {to}"),
    }
}

fn too_large(precision: u8, scale: u8) -> String {
    format!("it has more than {} digits before the point", precision - scale.min(precision))
}

fn expected(to: &SqlType) -> String {
    match to {
        SqlType::Boolean => "a boolean is true, false, t, f, 1 or 0".into(),
        SqlType::Date => "a date is written as 2024-01-31".into(),
        SqlType::Time(_) => "a time is written as 13:04:05.678".into(),
        SqlType::Timestamp(_) => "a timestamp is written as 2024-01-31 13:04:05.678, without a zone".into(),
        SqlType::TimestampTz(..) => "it is written as 2024-01-31 13:04:05.678 Europe/Berlin".into(),
        SqlType::Uuid => "a uuid is written as 12151fd2-7586-11e9-8f9e-2a86e4085a59".into(),
        SqlType::IpAddress => "an address is written as 10.0.0.1 or 2001:db8::1".into(),
        _ => "it is not such a number".into(),
    }
}

/// An error of Arrow's as one of ours; one that our own kernels raised inside keeps what it says.
pub fn arrow_error(error: arrow::error::ArrowError) -> Error {
    match error {
        arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::internal(other.to_string()),
        },
        other => Error::invalid(other.to_string()),
    }
}
