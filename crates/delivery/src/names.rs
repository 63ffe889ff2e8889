//! Names of objects, as Firehose gives them: `STREAM-VERSION-YYYY-MM-DD-HH-MM-SS-UUID`. What looks random follows from the
//! delivery stream and the places between which its records stand: a batch that is written again has the same names.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

/// Where all of a batch's seemingly random texts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seed([u8; 32]);

/// Letters of `!{firehose:random-string}`, and how many it has.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const RANDOM_LENGTH: usize = 11;

impl Seed {
    /// From facts that tell batches apart.
    pub(crate) fn new<'a>(facts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for fact in facts {
            hash.update((fact.len() as u64).to_be_bytes());
            hash.update(fact.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// The seed of a part of the batch.
    pub(crate) fn part(&self, what: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(what.as_bytes());
        Self(hash.finalize().into())
    }

    /// A UUID.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes: [u8; 16] = std::array::from_fn(|at| self.0.get(at).copied().unwrap_or(0));
        // The marks of a random one.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let text = hex::encode(bytes);
        format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
    }

    /// The text of the n-th `!{firehose:random-string}`.
    pub(crate) fn letters(&self, n: usize) -> String {
        let bytes = self.part(&format!("letters {n}")).0;
        let letter =
            |byte: &u8| char::from(LETTERS.get(usize::from(*byte) % LETTERS.len()).copied().unwrap_or(b'A'));
        bytes.iter().take(RANDOM_LENGTH).map(letter).collect()
    }
}

/// The name of an object whose oldest record arrived then.
pub(crate) fn name(stream: &str, version: u64, time: DateTime<Utc>, zone: Tz, seed: &Seed) -> String {
    let time = time.with_timezone(&zone).format("%Y-%m-%d-%H-%M-%S");
    format!("{stream}-{version}-{time}-{}", seed.uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_what_they_hold() {
        let seed = Seed::new(["hose", "1", "2"]);
        let time = DateTime::from_timestamp(1_620_830_521, 0).unwrap();
        let first = name("hose", 3, time, Tz::UTC, &seed.part("a"));
        assert!(first.starts_with("hose-3-2021-05-12-14-42-01-"), "{first}");
        let uuid = first.rsplitn(6, '-').collect::<Vec<_>>();
        assert_eq!(uuid[..5].iter().map(|part| part.len()).collect::<Vec<_>>(), [12, 4, 4, 4, 8]);
        assert_eq!(first, name("hose", 3, time, Tz::UTC, &Seed::new(["hose", "1", "2"]).part("a")));
        assert_ne!(first, name("hose", 3, time, Tz::UTC, &seed.part("b")));
        assert_ne!(Seed::new(["a", "bc"]), Seed::new(["ab", "c"]));
        let tokyo = name("hose", 3, time, Tz::Asia__Tokyo, &seed);
        assert!(tokyo.starts_with("hose-3-2021-05-12-23-42-01-"), "{tokyo}");
        assert_eq!(seed.letters(0).len(), 11);
        assert_ne!(seed.letters(0), seed.letters(1));
    }
}
