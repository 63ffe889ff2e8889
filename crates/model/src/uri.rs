//! `s3://bucket/key`: the address of an object, or of everything under a prefix.

use crate::{BucketName, Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// S3's limit for a key, in bytes of UTF-8.
const MAX_KEY_BYTES: usize = 1024;

/// An address in the lake. The key is kept byte for byte: no segment is folded, decoded or dropped. An empty key means
/// the whole bucket; a key that ends with `/` usually means a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LakeUri {
    bucket: BucketName,
    key: String,
}

impl LakeUri {
    /// An address from its parts. Keys longer than S3's 1,024 bytes are refused.
    pub fn new(bucket: BucketName, key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.len() > MAX_KEY_BYTES {
            return Err(Error::invalid(format!(
                "the key is {} bytes long, the limit is {MAX_KEY_BYTES}",
                key.len()
            )));
        }
        Ok(Self { bucket, key })
    }

    /// The bucket.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The key, without a leading slash.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// This address with a trailing slash (none for a whole bucket): the prefix of everything under a folder.
    #[must_use]
    pub fn as_folder(&self) -> Self {
        let mut folder = self.clone();
        if !folder.key.is_empty() && !folder.key.ends_with('/') {
            folder.key.push('/');
        }
        folder
    }

    /// The address of `relative` under this folder.
    pub fn join(&self, relative: &str) -> Result<Self> {
        let folder = self.as_folder();
        Self::new(folder.bucket, format!("{}{relative}", folder.key))
    }

    /// Another key of the same bucket.
    pub fn with_key(&self, key: impl Into<String>) -> Result<Self> {
        Self::new(self.bucket.clone(), key)
    }

    /// The last segment of the key: a file's or folder's name.
    pub fn name(&self) -> &str {
        let key = self.key.strip_suffix('/').unwrap_or(&self.key);
        key.rsplit('/').next().unwrap_or(key)
    }
}

impl fmt::Display for LakeUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl FromStr for LakeUri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let scheme_end = text.find("://").map(|at| at + 3);
        let Some(("s3://" | "s3a://" | "s3n://", rest)) = scheme_end.map(|end| text.split_at(end)) else {
            return Err(Error::invalid(format!("`{text}` is no lake address"))
                .hint("write s3://bucket/key; local files are put into a bucket's folder first"));
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Self::new(BucketName::new(bucket)?, key)
    }
}

impl TryFrom<String> for LakeUri {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<LakeUri> for String {
    fn from(uri: LakeUri) -> String {
        uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_byte_for_byte() {
        for text in ["s3://abc/", "s3://abc/a//b/../c", "s3://abc/ä%20 +?#", "s3://abc//leading"] {
            assert_eq!(text.parse::<LakeUri>().unwrap().to_string(), text);
        }
        assert_eq!("s3a://abc/x".parse::<LakeUri>().unwrap().to_string(), "s3://abc/x");
        assert!("file:///tmp/x".parse::<LakeUri>().is_err());
        assert!(format!("s3://abc/{}", "k".repeat(1025)).parse::<LakeUri>().is_err());
    }

    #[test]
    fn folders() {
        let folder: LakeUri = "s3://abc/a/b".parse().unwrap();
        assert_eq!(folder.join("c.csv").unwrap().to_string(), "s3://abc/a/b/c.csv");
        assert_eq!(folder.as_folder().name(), "b");
        let bucket: LakeUri = "s3://abc".parse().unwrap();
        assert_eq!(bucket.join("c.csv").unwrap().to_string(), "s3://abc/c.csv");
    }
}
