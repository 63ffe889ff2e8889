//! Typed identifiers. Each is checked when it is made, so that no room has to check it again.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                Self::new(text)
            }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A bucket's name, by S3's rules for new buckets.
    BucketName
);
text_id!(
    /// The name of a database, table, partition key, crawler or other named thing of the catalog: 1 to 255 characters
    /// without control characters, kept in lower case as Glue and Athena do.
    EntityName
);
text_id!(
    /// An account: twelve digits.
    AccountId
);
text_id!(
    /// A region such as `eu-central-1`.
    Region
);
text_id!(
    /// A run's id: 26 characters that sort by the time they were made.
    RunId
);

impl BucketName {
    /// Checks S3's naming rules.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let problem = if !(3..=63).contains(&name.len()) {
            Some("it must have 3 to 63 characters")
        } else if !name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        {
            Some("it may hold only lower-case letters, digits, dots and hyphens")
        } else if !name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
            || !name.as_bytes().last().is_some_and(u8::is_ascii_alphanumeric)
        {
            Some("it must begin and end with a letter or digit")
        } else if name.contains("..") || name.contains(".-") || name.contains("-.") {
            Some("dots must stand alone between letters or digits")
        } else if name.split('.').count() == 4 && name.split('.').all(|part| part.parse::<u8>().is_ok()) {
            Some("it must not look like an IP address")
        } else {
            None
        };
        match problem {
            Some(problem) => Err(Error::invalid(format!("`{}` is no bucket name: {problem}", clip(&name)))),
            None => Ok(Self(name)),
        }
    }
}

impl EntityName {
    /// Folds to lower case and checks length and characters.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name: String = name.into();
        let length = name.chars().count();
        if length == 0 || length > 255 {
            return Err(Error::invalid(format!(
                "a name must have 1 to 255 characters, `{}` has {length}",
                clip(&name)
            )));
        }
        if let Some(bad) = name.chars().find(|c| c.is_control()) {
            return Err(Error::invalid(format!(
                "a name must not hold control characters, this one holds {bad:?}"
            )));
        }
        Ok(Self(name.to_lowercase()))
    }
}

impl AccountId {
    /// Checks for twelve digits.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(id));
        }
        Err(Error::invalid(format!("`{}` is no account id: it must be twelve digits", clip(&id))))
    }
}

impl Region {
    /// Checks for a plausible region.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if !name.is_empty()
            && name.len() <= 32
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Ok(Self(name));
        }
        Err(Error::invalid(format!("`{}` is no region; regions look like `eu-central-1`", clip(&name))))
    }
}

/// Crockford's base 32: no letter that can be taken for a digit.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl RunId {
    /// Takes an id that was made before.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        if id.len() == 26 && id.bytes().all(|b| BASE32.contains(&b)) {
            return Ok(Self(id));
        }
        Err(Error::invalid(format!(
            "`{}` is no run id: it must be 26 characters such as those of `glulam runs`",
            clip(&id)
        )))
    }

    /// Makes an id from the time in milliseconds and 80 random bits. Ids sort as their times do.
    pub fn from_parts(unix_millis: u64, random: u128) -> Self {
        let mut bits = (u128::from(unix_millis) << 80) | (random & ((1 << 80) - 1));
        let mut text = [0u8; 26];
        for place in text.iter_mut().rev() {
            *place = BASE32[(bits & 31) as usize];
            bits >>= 5;
        }
        Self(text.iter().map(|b| char::from(*b)).collect())
    }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(79).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        for good in ["abc", "my-bucket.logs", "1data", "a.b.c"] {
            assert!(BucketName::new(good).is_ok(), "{good}");
        }
        for bad in ["ab", "Abc", "a..b", "-abc", "abc-", "a_b", "192.168.0.1", "a/b", "..", "a.-b", ""] {
            assert!(BucketName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_the_catalog_ignore_case() {
        assert_eq!(EntityName::new("componentName").unwrap(), EntityName::new("componentname").unwrap());
        assert!(EntityName::new("").is_err());
        assert!(EntityName::new("a\nb").is_err());
    }

    #[test]
    fn run_ids_sort_by_time() {
        let early = RunId::from_parts(1_600_000_000_000, u128::MAX);
        let late = RunId::from_parts(1_600_000_000_001, 0);
        assert!(early < late);
        assert_eq!(RunId::new(early.to_string()).unwrap(), early);
        assert!(RunId::new("nonsense").is_err());
    }
}
