//! Numbers as bytes, the highest byte first, and back.

use crate::Call;
use arrow::array::{ArrayRef, Float32Array, Int32Array};
use arrow::datatypes::{ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type};
use model::{Error, Result};

fn read<T: ArrowPrimitiveType, const N: usize>(
    call: &Call<'_>,
    decode: fn([u8; N]) -> T::Native,
) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build::<T>(|row| {
        let Some(bytes) = bytes.get(row) else { return Ok(None) };
        match <[u8; N]>::try_from(bytes) {
            Ok(exact) => Ok(Some(decode(exact))),
            Err(_) => Err(Error::invalid(format!("{} takes {N} bytes, found {}", call.name, bytes.len()))),
        }
    })
}

pub(crate) fn from_big_endian_32(call: &Call<'_>) -> Result<ArrayRef> {
    read::<Int32Type, 4>(call, i32::from_be_bytes)
}

pub(crate) fn from_big_endian_64(call: &Call<'_>) -> Result<ArrayRef> {
    read::<Int64Type, 8>(call, i64::from_be_bytes)
}

pub(crate) fn from_ieee754_32(call: &Call<'_>) -> Result<ArrayRef> {
    read::<Float32Type, 4>(call, f32::from_be_bytes)
}

pub(crate) fn from_ieee754_64(call: &Call<'_>) -> Result<ArrayRef> {
    read::<Float64Type, 8>(call, f64::from_be_bytes)
}

pub(crate) fn to_big_endian_32(call: &Call<'_>) -> Result<ArrayRef> {
    let number = call.values::<Int32Array>(0)?;
    call.build_bytes(|row, out| {
        out.extend_from_slice(&number.get(row).unwrap_or_default().to_be_bytes());
        Ok(true)
    })
}

pub(crate) fn to_big_endian_64(call: &Call<'_>) -> Result<ArrayRef> {
    let number = call.bigints(0)?;
    call.build_bytes(|row, out| {
        out.extend_from_slice(&number.get(row).unwrap_or_default().to_be_bytes());
        Ok(true)
    })
}

pub(crate) fn to_ieee754_32(call: &Call<'_>) -> Result<ArrayRef> {
    let number = call.values::<Float32Array>(0)?;
    call.build_bytes(|row, out| {
        out.extend_from_slice(&number.get(row).unwrap_or_default().to_be_bytes());
        Ok(true)
    })
}

pub(crate) fn to_ieee754_64(call: &Call<'_>) -> Result<ArrayRef> {
    let number = call.doubles(0)?;
    call.build_bytes(|row, out| {
        out.extend_from_slice(&number.get(row).unwrap_or_default().to_be_bytes());
        Ok(true)
    })
}
