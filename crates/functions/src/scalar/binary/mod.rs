//! Binary functions: bytes cut and joined, encoded as text and numbers, and hashed.

mod bytes;
mod encode;
mod hash;
mod numbers;

use super::Scalar;
use crate::Family;

/// The binary functions.
pub const FAMILY: Family = Family { title: "Binary functions", scalars: SCALARS, aggregates: &[] };

const TO_TEXT: &[&str] = &["(varbinary) -> varchar"];
const FROM_TEXT: &[&str] = &["(varchar) -> varbinary", "(varbinary) -> varbinary"];
const HASH: &[&str] = &["(varbinary) -> varbinary"];
const HMAC: &[&str] = &["(varbinary, varbinary) -> varbinary"];
const PAD: &[&str] = &["(varbinary, bigint, varbinary) -> varbinary"];
const CONCAT: &[&str] = &["(varbinary, varbinary...) -> varbinary"];
const SUBSTR: &[&str] = &["(varbinary, bigint) -> varbinary", "(varbinary, bigint, bigint) -> varbinary"];

const SCALARS: &[Scalar] = &[
    Scalar::new("concat", CONCAT, bytes::concat, "Bytes, one after the other."),
    Scalar::new("$concat", CONCAT, bytes::concat, "The operator `||`."),
    Scalar::new("length", &["(varbinary) -> bigint"], bytes::length, "How many bytes there are."),
    Scalar::new("lpad", PAD, bytes::lpad, "Fills or cuts bytes to a length, on the left."),
    Scalar::new("reverse", HASH, bytes::reverse, "The bytes in reverse order."),
    Scalar::new("rpad", PAD, bytes::rpad, "Fills or cuts bytes to a length, on the right."),
    Scalar::new("substr", SUBSTR, bytes::substr, "Part of the bytes, from a position counted from 1."),
    Scalar::new("substring", SUBSTR, bytes::substr, "Part of the bytes, from a position counted from 1."),
    Scalar::new("from_base32", FROM_TEXT, encode::from_base32, "Decodes base32."),
    Scalar::new("from_base64", FROM_TEXT, encode::from_base64, "Decodes base64."),
    Scalar::new(
        "from_base64url",
        FROM_TEXT,
        encode::from_base64url,
        "Decodes base64 in its alphabet for URLs.",
    ),
    Scalar::new("from_hex", FROM_TEXT, encode::from_hex, "Decodes hexadecimal digits."),
    Scalar::new("to_base32", TO_TEXT, encode::to_base32, "Encodes as base32."),
    Scalar::new("to_base64", TO_TEXT, encode::to_base64, "Encodes as base64."),
    Scalar::new("to_base64url", TO_TEXT, encode::to_base64url, "Encodes as base64 in its alphabet for URLs."),
    Scalar::new("to_hex", TO_TEXT, encode::to_hex, "Encodes as hexadecimal digits."),
    Scalar::new(
        "from_big_endian_32",
        &["(varbinary) -> integer"],
        numbers::from_big_endian_32,
        "Decodes four bytes, the highest first.",
    ),
    Scalar::new(
        "from_big_endian_64",
        &["(varbinary) -> bigint"],
        numbers::from_big_endian_64,
        "Decodes eight bytes, the highest first.",
    ),
    Scalar::new("from_ieee754_32", &["(varbinary) -> real"], numbers::from_ieee754_32, "Decodes a real."),
    Scalar::new("from_ieee754_64", &["(varbinary) -> double"], numbers::from_ieee754_64, "Decodes a double."),
    Scalar::new(
        "to_big_endian_32",
        &["(integer) -> varbinary"],
        numbers::to_big_endian_32,
        "Encodes as four bytes, the highest first.",
    ),
    Scalar::new(
        "to_big_endian_64",
        &["(bigint) -> varbinary"],
        numbers::to_big_endian_64,
        "Encodes as eight bytes, the highest first.",
    ),
    Scalar::new("to_ieee754_32", &["(real) -> varbinary"], numbers::to_ieee754_32, "Encodes a real."),
    Scalar::new("to_ieee754_64", &["(double) -> varbinary"], numbers::to_ieee754_64, "Encodes a double."),
    Scalar::new("crc32", &["(varbinary) -> bigint"], hash::crc32, "The CRC-32 check sum."),
    Scalar::new("md5", HASH, hash::md5, "The MD5 hash."),
    Scalar::new("murmur3", HASH, hash::murmur3, "The 128-bit MurmurHash3 hash."),
    Scalar::new("sha1", HASH, hash::sha1, "The SHA-1 hash."),
    Scalar::new("sha256", HASH, hash::sha256, "The SHA-256 hash."),
    Scalar::new("sha512", HASH, hash::sha512, "The SHA-512 hash."),
    Scalar::new("xxhash64", HASH, hash::xxhash64, "The xxHash64 hash."),
    Scalar::new("hmac_md5", HMAC, hash::hmac_md5, "The HMAC with MD5 and a key."),
    Scalar::new("hmac_sha1", HMAC, hash::hmac_sha1, "The HMAC with SHA-1 and a key."),
    Scalar::new("hmac_sha256", HMAC, hash::hmac_sha256, "The HMAC with SHA-256 and a key."),
    Scalar::new("hmac_sha512", HMAC, hash::hmac_sha512, "The HMAC with SHA-512 and a key."),
];
