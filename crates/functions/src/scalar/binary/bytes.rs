//! Bytes cut, filled, joined, turned round.

use crate::Call;
use crate::scalar::string::{check_length, target_length};
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use model::{Error, Result};

pub(crate) fn length(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build::<Int64Type>(|row| Ok(bytes.get(row).map(|b| b.len() as i64)))
}

pub(crate) fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let parts: Vec<_> = (0..call.args.len()).map(|i| call.bytes(i)).collect::<Result<_>>()?;
    call.build_bytes(|row, out| {
        for part in &parts {
            out.extend_from_slice(part.get(row).unwrap_or_default());
        }
        check_length(call.name, out.len())?;
        Ok(true)
    })
}

pub(crate) fn reverse(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build_bytes(|row, out| {
        out.extend(bytes.get(row).unwrap_or_default().iter().rev());
        Ok(true)
    })
}

pub(crate) fn lpad(call: &Call<'_>) -> Result<ArrayRef> {
    pad(call, true)
}

pub(crate) fn rpad(call: &Call<'_>) -> Result<ArrayRef> {
    pad(call, false)
}

fn pad(call: &Call<'_>, left: bool) -> Result<ArrayRef> {
    let (bytes, size, fill) = (call.bytes(0)?, call.bigints(1)?, call.bytes(2)?);
    call.build_bytes(|row, out| {
        let (Some(bytes), Some(size), Some(fill)) = (bytes.get(row), size.get(row), fill.get(row)) else {
            return Ok(false);
        };
        let size = target_length(call.name, size)?;
        if fill.is_empty() {
            return Err(Error::invalid(format!("the padding of {} is empty", call.name)));
        }
        check_length(call.name, size)?;
        let missing = size.saturating_sub(bytes.len());
        if left {
            out.extend(fill.iter().cycle().take(missing));
        }
        out.extend(bytes.iter().take(size));
        if !left {
            out.extend(fill.iter().cycle().take(missing));
        }
        Ok(true)
    })
}

pub(crate) fn substr(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, start) = (call.bytes(0)?, call.bigints(1)?);
    let size = if call.has(2) { Some(call.bigints(2)?) } else { None };
    call.build_bytes(|row, out| {
        let (Some(bytes), Some(start)) = (bytes.get(row), start.get(row)) else { return Ok(false) };
        let size = size.as_ref().and_then(|s| s.get(row)).unwrap_or(i64::MAX);
        out.extend_from_slice(slice(bytes, start, size));
        Ok(true)
    })
}

/// The part from the position `start`, at most `size` bytes. Before the beginning there is nothing.
fn slice(bytes: &[u8], start: i64, size: i64) -> &[u8] {
    let from = match start {
        0 => return &[],
        1.. => usize::try_from(start - 1).ok(),
        _ => usize::try_from(start.unsigned_abs()).ok().and_then(|back| bytes.len().checked_sub(back)),
    };
    let Some(rest) = from.and_then(|from| bytes.get(from..)) else { return &[] };
    let size = usize::try_from(size).unwrap_or(0).min(rest.len());
    rest.get(..size).unwrap_or_default()
}
