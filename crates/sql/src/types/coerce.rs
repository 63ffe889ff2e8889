//! Which types turn into which without being told, as Trino has it.

use super::{RowField, SqlType};

/// How far a value of one type is from being one of another without a cast: 0 for the same type, more for a wider one,
/// nothing where a cast has to be written.
pub fn coerce_cost(from: &SqlType, to: &SqlType) -> Option<u32> {
    use SqlType::*;
    if from == to {
        return Some(0);
    }
    Some(match (from, to) {
        (Unknown, _) => 1,
        (TinyInt | SmallInt | Integer | BigInt, TinyInt | SmallInt | Integer | BigInt) => {
            let (a, b) = (integer_rank(from), integer_rank(to));
            if a > b {
                return None;
            }
            b - a
        }
        (TinyInt | SmallInt | Integer | BigInt, Decimal(p, s)) => {
            if p - s < digits(from) {
                return None;
            }
            5
        }
        (TinyInt | SmallInt | Integer | BigInt, Real) => 7,
        (TinyInt | SmallInt | Integer | BigInt, Double) => 6,
        (Decimal(p1, s1), Decimal(p2, s2)) => {
            if s2 < s1 || p2 - s2 < p1 - s1 {
                return None;
            }
            1
        }
        (Decimal(..), Real) => 3,
        (Decimal(..), Double) => 2,
        (Real, Double) => 1,
        (Varchar(Some(_)) | Char(_), Varchar(None)) => 1,
        (Varchar(Some(a)) | Char(a), Varchar(Some(b))) if a <= b => 1,
        (Varchar(Some(_)), Char(_)) => 3,
        (Char(a), Char(b)) if a <= b => 1,
        (Date, Timestamp(_)) => 1,
        (Date, TimestampTz(..)) => 3,
        (Time(a), Time(b)) if a <= b => 1,
        (Timestamp(a), Timestamp(b)) if a <= b => 1,
        (Timestamp(a), TimestampTz(b, _)) if a <= b => 2,
        (TimestampTz(a, _), TimestampTz(b, _)) if a <= b => 1,
        (Array(a), Array(b)) => coerce_cost(a, b)?,
        (Map(k1, v1), Map(k2, v2)) => coerce_cost(k1, k2)? + coerce_cost(v1, v2)?,
        (Row(a), Row(b)) if a.len() == b.len() => {
            let mut cost = 0;
            for (a, b) in a.iter().zip(b) {
                cost += coerce_cost(&a.sql_type, &b.sql_type)?;
            }
            cost
        }
        _ => return None,
    })
}

/// The narrowest type both turn into, as for the branches of a CASE or the sides of a UNION.
pub fn common_type(a: &SqlType, b: &SqlType) -> Option<SqlType> {
    use SqlType::*;
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        (Unknown, other) | (other, Unknown) => other.clone(),
        (Decimal(p1, s1), Decimal(p2, s2)) => wider_decimal((*p1, *s1), (*p2, *s2)),
        (Decimal(p, s), other) | (other, Decimal(p, s)) if other.is_integer() => {
            wider_decimal((*p, *s), (digits(other), 0))
        }
        (Varchar(x), Varchar(y)) => Varchar((*x).zip(*y).map(|(x, y)| x.max(y))),
        (Char(x), Char(y)) => Char(*x.max(y)),
        (Varchar(x), Char(y)) | (Char(y), Varchar(x)) => Varchar(x.map(|x| x.max(*y))),
        (TimestampTz(p1, z1), TimestampTz(p2, z2)) => {
            TimestampTz(*p1.max(p2), if z1 == z2 { z1.clone() } else { SqlType::utc() })
        }
        (Timestamp(p1), TimestampTz(p2, z)) | (TimestampTz(p2, z), Timestamp(p1)) => {
            TimestampTz(*p1.max(p2), z.clone())
        }
        (Array(x), Array(y)) => SqlType::array(common_type(x, y)?),
        (Map(k1, v1), Map(k2, v2)) => SqlType::map(common_type(k1, k2)?, common_type(v1, v2)?),
        (Row(x), Row(y)) if x.len() == y.len() => Row(x
            .iter()
            .zip(y)
            .map(|(x, y)| {
                let name = if x.name == y.name { x.name.clone() } else { None };
                Some(RowField { name, sql_type: common_type(&x.sql_type, &y.sql_type)? })
            })
            .collect::<Option<_>>()?),
        _ => {
            let forward = coerce_cost(a, b).map(|_| b.clone());
            return forward.or_else(|| coerce_cost(b, a).map(|_| a.clone()));
        }
    })
}

fn wider_decimal((p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> SqlType {
    let scale = s1.max(s2);
    SqlType::Decimal(((p1 - s1).max(p2 - s2) + scale).min(38), scale)
}

fn integer_rank(t: &SqlType) -> u32 {
    match t {
        SqlType::TinyInt => 1,
        SqlType::SmallInt => 2,
        SqlType::Integer => 3,
        _ => 4,
    }
}

/// How many decimal digits an integer type needs.
fn digits(t: &SqlType) -> u8 {
    match t {
        SqlType::TinyInt => 3,
        SqlType::SmallInt => 5,
        SqlType::Integer => 10,
        _ => 19,
    }
}
