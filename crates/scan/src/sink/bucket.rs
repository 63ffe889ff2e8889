//! Hive's first bucketing function, which Trino and Athena use: the bucket of a row is the hash of its key columns,
//! without the sign, modulo the number of buckets.

use arrow::array::cast::AsArray;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use model::{Error, Result};
use sql::SqlType;

/// How many buckets Trino allows.
const MAX_BUCKETS: u32 = 100_000;

/// Refuses types that Hive's function is not defined for, and impossible numbers of buckets.
pub(crate) fn check(columns: &[(&str, &SqlType)], count: u32) -> Result<()> {
    if !(1..=MAX_BUCKETS).contains(&count) {
        return Err(Error::invalid(format!("a table cannot have {count} buckets"))
            .hint(format!("give a bucket_count between 1 and {MAX_BUCKETS}")));
    }
    if columns.is_empty() {
        return Err(Error::invalid("bucketing needs a column").hint("name the columns in bucketed_by"));
    }
    for (name, sql_type) in columns {
        let known = matches!(
            sql_type,
            SqlType::Boolean
                | SqlType::TinyInt
                | SqlType::SmallInt
                | SqlType::Integer
                | SqlType::BigInt
                | SqlType::Real
                | SqlType::Double
                | SqlType::Date
                | SqlType::Varchar(_)
        );
        if !known {
            return Err(Error::unsupported(format!(
                "column `{name}` of type {sql_type} cannot be bucketed by"
            ))
            .why("Hive's bucketing function is not defined for this type")
            .hint("bucket by a boolean, integer, floating-point, date or varchar column"));
        }
    }
    Ok(())
}

/// The bucket of each row.
pub(crate) fn buckets(columns: &[(ArrayRef, SqlType)], count: u32, rows: usize) -> Result<Vec<u32>> {
    let mut hashes = vec![0_i32; rows];
    for (array, sql_type) in columns {
        add_column(&mut hashes, array.as_ref(), sql_type)?;
    }
    let count = count.max(1);
    // The mask clears the sign, so the value fits.
    Ok(hashes.into_iter().map(|hash| (hash & i32::MAX).unsigned_abs() % count).collect())
}

fn add_column(hashes: &mut [i32], array: &dyn Array, sql_type: &SqlType) -> Result<()> {
    let done = match sql_type {
        SqlType::Boolean => {
            array.as_boolean_opt().map(|a| fold(hashes, array, |row| i32::from(a.value(row))))
        }
        SqlType::TinyInt => primitive::<Int8Type>(hashes, array, i32::from),
        SqlType::SmallInt => primitive::<Int16Type>(hashes, array, i32::from),
        SqlType::Integer => primitive::<Int32Type>(hashes, array, |v| v),
        SqlType::BigInt => primitive::<Int64Type>(hashes, array, |v| fold_long(v.cast_unsigned())),
        SqlType::Date => primitive::<Date32Type>(hashes, array, |v| v),
        SqlType::Real => primitive::<Float32Type>(hashes, array, |v| {
            (if v.is_nan() { 0x7fc0_0000 } else { v.to_bits() }).cast_signed()
        }),
        SqlType::Double => primitive::<Float64Type>(hashes, array, |v| {
            fold_long(if v.is_nan() { 0x7ff8_0000_0000_0000 } else { v.to_bits() })
        }),
        SqlType::Varchar(length) => array.as_string_view_opt().map(|a| {
            // Hive hashes a `string` from 0 and a `varchar(n)` from 1.
            let start = i32::from(length.is_some_and(|n| n <= 65_535));
            fold(hashes, array, |row| text_hash(start, a.value(row)));
        }),
        _ => None,
    };
    done.ok_or_else(|| {
        Error::internal(format!("a bucketing column of type {sql_type} arrived as {}", array.data_type()))
    })
}

fn primitive<T: ArrowPrimitiveType>(
    hashes: &mut [i32],
    array: &dyn Array,
    hash: impl Fn(T::Native) -> i32,
) -> Option<()> {
    let values = array.as_primitive_opt::<T>()?;
    fold(hashes, array, |row| hash(values.value(row)));
    Some(())
}

fn fold(hashes: &mut [i32], array: &dyn Array, hash: impl Fn(usize) -> i32) {
    let nulls = array.nulls();
    for (row, sum) in hashes.iter_mut().enumerate().take(array.len()) {
        let own = if nulls.is_some_and(|n| n.is_null(row)) { 0 } else { hash(row) };
        *sum = sum.wrapping_mul(31).wrapping_add(own);
    }
}

/// Java's hash of a long: both halves over each other.
fn fold_long(bits: u64) -> i32 {
    let halves = (bits >> 32) ^ bits;
    u32::try_from(halves & u64::from(u32::MAX)).unwrap_or(0).cast_signed()
}

fn text_hash(start: i32, text: &str) -> i32 {
    text.bytes().fold(start, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Date32Array, Int32Array, Int64Array, StringViewArray};
    use std::sync::Arc;

    fn hash_of(array: ArrayRef, sql_type: SqlType) -> Vec<i32> {
        let mut hashes = vec![0; array.len()];
        add_column(&mut hashes, array.as_ref(), &sql_type).unwrap();
        hashes
    }

    /// The values that Trino's own tests of the function expect.
    #[test]
    fn hashes_are_those_of_hive() {
        let bools = Arc::new(BooleanArray::from(vec![None, Some(true), Some(false)]));
        assert_eq!(hash_of(bools, SqlType::Boolean), [0, 1, 0]);
        let ints = Arc::new(Int32Array::from(vec![5, i32::MAX, i32::MIN]));
        assert_eq!(hash_of(ints, SqlType::Integer), [5, i32::MAX, i32::MIN]);
        let longs = Arc::new(Int64Array::from(vec![300, i64::MIN, i64::MAX, i64::MIN + 7]));
        assert_eq!(hash_of(longs, SqlType::BigInt), [300, i32::MIN, i32::MIN, i32::MIN + 7]);
        let dates = Arc::new(Date32Array::from(vec![-3, 0]));
        assert_eq!(hash_of(dates, SqlType::Date), [-3, 0]);
        // "".hashCode() and Java's String.hashCode() for ASCII text.
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["", "abc", "test string"]));
        assert_eq!(hash_of(Arc::clone(&texts), SqlType::VARCHAR), [0, 96_354, -318_923_937]);
        assert_eq!(hash_of(texts, SqlType::Varchar(Some(10)))[0], 1);
    }

    #[test]
    fn several_columns_count_in_their_order() {
        let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
        let b: ArrayRef = Arc::new(Int32Array::from(vec![2, 2]));
        let columns = [(a, SqlType::Integer), (b, SqlType::Integer)];
        assert_eq!(buckets(&columns, 10, 2).unwrap(), [33 % 10, 2]);
    }

    #[test]
    fn types_without_a_hash_are_refused_by_name() {
        let error = check(&[("t", &SqlType::Timestamp(3))], 4).unwrap_err();
        assert!(error.message().contains("`t` of type timestamp(3)"), "{error}");
        assert!(check(&[("i", &SqlType::Integer)], 0).is_err());
    }
}
