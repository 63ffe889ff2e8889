//! Random numbers: `random`, and what `shuffle` needs.

use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use model::{Error, Result};

const SIGNATURES: &[&str] = &[
    "(tinyint) -> tinyint",
    "(smallint) -> smallint",
    "(integer) -> integer",
    "(bigint) -> bigint",
    "(tinyint, tinyint) -> tinyint",
    "(smallint, smallint) -> smallint",
    "(integer, integer) -> integer",
    "(bigint, bigint) -> bigint",
];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Random functions",
    scalars: &[
        Scalar::new("random", &["() -> double"], fraction, "Returns a random number from 0 to below 1.")
            .volatile(),
        Scalar::new("rand", &["() -> double"], fraction, "Returns a random number from 0 to below 1.")
            .volatile(),
        Scalar::new("random", SIGNATURES, whole, "Returns a random integer below a bound, or between two.")
            .volatile(),
        Scalar::new("rand", SIGNATURES, whole, "Returns a random integer below a bound, or between two.")
            .volatile(),
    ],
    aggregates: &[],
};

/// A stream of random numbers (splitmix64), seeded by the operating system for each batch.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Result<Random> {
        let mut seed = [0u8; 8];
        getrandom::fill(&mut seed)
            .map_err(|e| Error::unavailable("the operating system gives no random numbers").source_is(e))?;
        Ok(Random(u64::from_le_bytes(seed)))
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below the bound, each equally likely; 0 for the bound 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let unfair = u64::MAX - u64::MAX % bound;
        loop {
            let bits = self.next();
            if bits < unfair {
                return bits % bound;
            }
        }
    }
}

fn fraction(call: &Call<'_>) -> Result<ArrayRef> {
    let mut random = Random::new()?;
    call.build::<Float64Type>(|_| Ok(Some((random.next() >> 11) as f64 / (1u64 << 53) as f64)))
}

fn whole(call: &Call<'_>) -> Result<ArrayRef> {
    match call.return_type.to_arrow() {
        DataType::Int8 => between::<Int8Type>(call),
        DataType::Int16 => between::<Int16Type>(call),
        DataType::Int32 => between::<Int32Type>(call),
        _ => between::<Int64Type>(call),
    }
}

fn between<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef>
where
    T::Native: Into<i64> + TryFrom<i64>,
{
    let first = call.values::<PrimitiveArray<T>>(0)?;
    let second = if call.has(1) { Some(call.values::<PrimitiveArray<T>>(1)?) } else { None };
    let mut random = Random::new()?;
    call.build::<T>(|row| {
        let Some(bound) = first.get(row) else { return Ok(None) };
        let (start, stop): (i64, i64) = match second.as_ref().map(|s| s.get(row)) {
            None => (0, bound.into()),
            Some(Some(stop)) => (bound.into(), stop.into()),
            Some(None) => return Ok(None),
        };
        if start >= stop {
            let message = if second.is_some() {
                format!("start value of {} must be less than stop value: {start}, {stop}", call.name)
            } else {
                format!("bound of {} must be positive: {stop}", call.name)
            };
            return Err(Error::invalid(message));
        }
        let span = stop.wrapping_sub(start) as u64;
        Ok(T::Native::try_from(start.wrapping_add(random.below(span) as i64)).ok())
    })
}
