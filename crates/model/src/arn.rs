//! Amazon resource names: `arn:aws:glue:eu-central-1:123456789012:table/db/orders`.

use crate::{AccountId, Error, Region, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A resource's name as AWS writes it. Region and account may be empty (S3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    /// `aws`, `aws-cn`, …
    pub partition: String,
    /// `glue`, `s3`, …
    pub service: String,
    /// Empty for services without regions.
    pub region: String,
    /// Empty for S3.
    pub account: String,
    /// What comes behind, colons and slashes included.
    pub resource: String,
}

impl Arn {
    /// A resource of a regional service in the standard partition.
    pub fn regional(
        service: &str,
        region: &Region,
        account: &AccountId,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            partition: "aws".to_owned(),
            service: service.to_owned(),
            region: region.to_string(),
            account: account.to_string(),
            resource: resource.into(),
        }
    }

    /// A bucket or an object of S3.
    pub fn s3(resource: impl Into<String>) -> Self {
        Self {
            partition: "aws".to_owned(),
            service: "s3".to_owned(),
            region: String::new(),
            account: String::new(),
            resource: resource.into(),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:{}:{}:{}:{}:{}",
            self.partition, self.service, self.region, self.account, self.resource
        )
    }
}

impl FromStr for Arn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, service, region, account, resource]
                if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                if !account.is_empty() && *account != "aws" {
                    AccountId::new(*account)?;
                }
                Ok(Self {
                    partition: (*partition).to_owned(),
                    service: (*service).to_owned(),
                    region: (*region).to_owned(),
                    account: (*account).to_owned(),
                    resource: (*resource).to_owned(),
                })
            }
            _ => Err(Error::invalid(format!("`{text}` is no ARN"))
                .hint("an ARN looks like arn:aws:glue:eu-central-1:123456789012:database/sales")),
        }
    }
}

impl TryFrom<String> for Arn {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> String {
        arn.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in
            ["arn:aws:glue:eu-central-1:123456789012:table/db/t", "arn:aws:s3:::bucket/key:with:colons"]
        {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
        for bad in ["", "arn:aws:glue", "arn:aws:glue:r:12:x", "urn:aws:glue:r::x"] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
    }
}
