//! Sequence numbers: where a record stands in its shard.

use model::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Digits of the text; all sequence numbers have as many, so that they compare as texts, too.
const DIGITS: usize = 56;
const PREFIX: &str = "49";
const ORDINAL_BITS: u32 = 52;
const SHARD_BITS: u32 = 32;

/// The place of a record: strictly growing in a shard, and greater in a shard than in the shards it was made from.
///
/// As text it is a decimal number of 56 digits, as Kinesis' are. Clients compare these and hand them back, no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber {
    /// When the shard was made, in milliseconds since 1970.
    epoch: u64,
    /// Counts the shard's records from 1; 0 is the shard's own starting number.
    ordinal: u64,
    /// The shard's number.
    shard: u32,
}

impl SequenceNumber {
    pub(crate) fn new(epoch: u64, ordinal: u64, shard: u32) -> Self {
        Self { epoch, ordinal, shard }
    }

    /// Another place in the same shard.
    pub(crate) fn with_ordinal(self, ordinal: u64) -> Self {
        Self { ordinal, ..self }
    }

    /// The starting number of its shard, which tells shards apart, also those of streams that had one name one after the
    /// other.
    #[must_use]
    pub fn start_of_shard(self) -> Self {
        self.with_ordinal(0)
    }

    pub(crate) fn ordinal(self) -> u64 {
        self.ordinal
    }

    pub(crate) fn is_of(self, epoch: u64, shard: u32) -> bool {
        self.epoch == epoch && self.shard == shard
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = (u128::from(self.epoch) << (ORDINAL_BITS + SHARD_BITS))
            | (u128::from(self.ordinal) << SHARD_BITS)
            | u128::from(self.shard);
        // Written for every record that is put or read.
        let mut text = [b'0'; DIGITS];
        text[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        let mut left = value;
        for piece in text[PREFIX.len()..].rchunks_mut(PIECE_DIGITS) {
            fill_digits(piece, (left % PIECE) as u64);
            left /= PIECE;
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A number of at most that many digits goes into 64 bits.
const PIECE_DIGITS: usize = 19;
const PIECE: u128 = 10u128.pow(PIECE_DIGITS as u32);

/// Writes a number's last digits.
pub(crate) fn fill_digits(text: &mut [u8], mut number: u64) {
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl FromStr for SequenceNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let value = text
            .strip_prefix(PREFIX)
            .filter(|rest| text.len() == DIGITS && rest.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|rest| rest.parse::<u128>().ok());
        let Some(value) = value else {
            return Err(Error::invalid(format!(
                "`{}` is no sequence number",
                text.chars().take(80).collect::<String>()
            ))
            .hint("use one that a put or a read has answered with"));
        };
        let bits = |shift: u32, width: u32| ((value >> shift) & ((1 << width) - 1)) as u64;
        Ok(Self {
            epoch: bits(ORDINAL_BITS + SHARD_BITS, 128 - ORDINAL_BITS - SHARD_BITS),
            ordinal: bits(SHARD_BITS, ORDINAL_BITS),
            shard: bits(0, SHARD_BITS) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_compare_as_numbers_do() {
        let numbers = [
            SequenceNumber::new(0, 0, 0),
            SequenceNumber::new(1_600_000_000_000, 0, 7),
            SequenceNumber::new(1_600_000_000_000, 1, 7),
            SequenceNumber::new(1_600_000_000_000, (1 << 52) - 1, 7),
            SequenceNumber::new(1_600_000_000_001, 0, u32::MAX),
        ];
        for pair in numbers.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string());
        }
        for number in numbers {
            assert_eq!(number.to_string().len(), DIGITS);
            assert_eq!(number.to_string().parse::<SequenceNumber>().unwrap(), number);
        }
        for bad in ["", "0", "LATEST", &"9".repeat(DIGITS), &format!("49{}", "9".repeat(54)), "49é"] {
            assert!(bad.parse::<SequenceNumber>().is_err(), "{bad}");
        }
    }
}
