//! Check sums, hashes and keyed hashes.

use crate::Call;
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use model::{Error, Result};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::io::Cursor;

fn digest<D: Digest>(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build_bytes(|row, out| {
        out.extend_from_slice(&D::digest(bytes.get(row).unwrap_or_default()));
        Ok(true)
    })
}

pub(crate) fn md5(call: &Call<'_>) -> Result<ArrayRef> {
    digest::<Md5>(call)
}

pub(crate) fn sha1(call: &Call<'_>) -> Result<ArrayRef> {
    digest::<Sha1>(call)
}

pub(crate) fn sha256(call: &Call<'_>) -> Result<ArrayRef> {
    digest::<Sha256>(call)
}

pub(crate) fn sha512(call: &Call<'_>) -> Result<ArrayRef> {
    digest::<Sha512>(call)
}

fn keyed<M: Mac + KeyInit>(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, key) = (call.bytes(0)?, call.bytes(1)?);
    call.build_bytes(|row, out| {
        let (Some(bytes), Some(key)) = (bytes.get(row), key.get(row)) else { return Ok(false) };
        let mut mac = <M as KeyInit>::new_from_slice(key)
            .map_err(|e| Error::invalid(format!("{} does not take this key", call.name)).source_is(e))?;
        mac.update(bytes);
        out.extend_from_slice(&mac.finalize().into_bytes());
        Ok(true)
    })
}

pub(crate) fn hmac_md5(call: &Call<'_>) -> Result<ArrayRef> {
    keyed::<Hmac<Md5>>(call)
}

pub(crate) fn hmac_sha1(call: &Call<'_>) -> Result<ArrayRef> {
    keyed::<Hmac<Sha1>>(call)
}

pub(crate) fn hmac_sha256(call: &Call<'_>) -> Result<ArrayRef> {
    keyed::<Hmac<Sha256>>(call)
}

pub(crate) fn hmac_sha512(call: &Call<'_>) -> Result<ArrayRef> {
    keyed::<Hmac<Sha512>>(call)
}

pub(crate) fn crc32(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build::<Int64Type>(|row| {
        let sum = bytes.get(row).map(|b| crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, b));
        Ok(sum.map(|s| s as i64))
    })
}

pub(crate) fn xxhash64(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build_bytes(|row, out| {
        let hash = xxhash_rust::xxh64::xxh64(bytes.get(row).unwrap_or_default(), 0);
        out.extend_from_slice(&hash.to_be_bytes());
        Ok(true)
    })
}

/// The two halves of the hash, each with its lowest byte first, as Trino writes them.
pub(crate) fn murmur3(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build_bytes(|row, out| {
        let hash = murmur3::murmur3_x64_128(&mut Cursor::new(bytes.get(row).unwrap_or_default()), 0)
            .map_err(|e| Error::internal("bytes in memory could not be read").source_is(e))?;
        out.extend_from_slice(&hash.to_le_bytes());
        Ok(true)
    })
}
