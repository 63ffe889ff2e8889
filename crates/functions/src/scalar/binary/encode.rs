//! Bytes as hexadecimal digits, base64 and base32, and back.

use crate::{Call, Values};
use arrow::array::{ArrayRef, BinaryViewArray, StringViewArray};
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::{Error, Result};
use sql::SqlType;

/// Pads what it writes; reads with and without padding, as Java's decoder does.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// The encoded form, which may come as text or as bytes.
enum Encoded {
    Text(Values<StringViewArray>),
    Bytes(Values<BinaryViewArray>),
}

impl Encoded {
    fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Encoded::Text(text) => text.get(row).map(str::as_bytes),
            Encoded::Bytes(bytes) => bytes.get(row),
        }
    }
}

fn decode(
    call: &Call<'_>,
    read: impl Fn(&[u8], &mut Vec<u8>) -> std::result::Result<(), String>,
) -> Result<ArrayRef> {
    let encoded = match call.arg_types.first() {
        Some(SqlType::Varbinary) => Encoded::Bytes(call.bytes(0)?),
        _ => Encoded::Text(call.strings(0)?),
    };
    call.build_bytes(|row, out| {
        let Some(bytes) = encoded.get(row) else { return Ok(false) };
        match read(bytes, out) {
            Ok(()) => Ok(true),
            Err(why) => Err(Error::invalid(format!("{} cannot decode its argument", call.name)).why(why)),
        }
    })
}

fn encode(call: &Call<'_>, write: impl Fn(&[u8], &mut String)) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.build_strings(|row, out| {
        write(bytes.get(row).unwrap_or_default(), out);
        Ok(true)
    })
}

pub(crate) fn to_hex(call: &Call<'_>) -> Result<ArrayRef> {
    encode(call, |bytes, out| out.push_str(&hex::encode_upper(bytes)))
}

pub(crate) fn from_hex(call: &Call<'_>) -> Result<ArrayRef> {
    decode(call, |digits, out| {
        out.extend(hex::decode(digits).map_err(|e| e.to_string().to_lowercase())?);
        Ok(())
    })
}

pub(crate) fn to_base64(call: &Call<'_>) -> Result<ArrayRef> {
    encode(call, |bytes, out| BASE64.encode_string(bytes, out))
}

pub(crate) fn from_base64(call: &Call<'_>) -> Result<ArrayRef> {
    decode(call, |text, out| BASE64.decode_vec(text, out).map_err(|e| e.to_string().to_lowercase()))
}

pub(crate) fn to_base64url(call: &Call<'_>) -> Result<ArrayRef> {
    encode(call, |bytes, out| BASE64_URL.encode_string(bytes, out))
}

pub(crate) fn from_base64url(call: &Call<'_>) -> Result<ArrayRef> {
    decode(call, |text, out| BASE64_URL.decode_vec(text, out).map_err(|e| e.to_string().to_lowercase()))
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(crate) fn to_base32(call: &Call<'_>) -> Result<ArrayRef> {
    encode(call, |bytes, out| {
        for chunk in bytes.chunks(5) {
            let mut group = [0u8; 8];
            for (to, from) in group.iter_mut().skip(3).zip(chunk) {
                *to = *from;
            }
            let number = u64::from_be_bytes(group);
            let symbols = (chunk.len() * 8).div_ceil(5);
            for i in 0..8 {
                let digit = (number >> (35 - 5 * i)) as usize & 31;
                out.push(if i < symbols { char::from(BASE32[digit]) } else { '=' });
            }
        }
    })
}

pub(crate) fn from_base32(call: &Call<'_>) -> Result<ArrayRef> {
    decode(call, read_base32)
}

fn read_base32(text: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), String> {
    let end = text.iter().rposition(|b| *b != b'=').map_or(0, |p| p + 1);
    let digits = text.get(..end).unwrap_or_default();
    if matches!(digits.len() % 8, 1 | 3 | 6) {
        return Err(format!("invalid input length {}", digits.len()));
    }
    let (mut bits, mut held) = (0u32, 0u32);
    for symbol in digits {
        let Some(digit) = BASE32.iter().position(|b| b == symbol) else {
            return Err(format!("unrecognized character: {}", char::from(*symbol)));
        };
        bits = (bits << 5 | digit as u32) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Ok(())
}
