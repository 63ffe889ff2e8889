//! Tags of resources, for every service that has them: kept by the resource's ARN.

use crate::store::Documents;
use model::{Error, Result};
use std::collections::BTreeMap;

/// The tags of a resource.
pub(crate) type Tags = BTreeMap<String, String>;

const KIND: &str = "tags";
/// AWS's limit.
const MAX_TAGS: usize = 50;

/// The tags of that resource.
pub(crate) async fn of(documents: &Documents, arn: &str) -> Result<Tags> {
    Ok(documents.get(KIND, arn).await?.map(|kept| kept.body).unwrap_or_default())
}

/// Whether the resource has all these tags.
pub(crate) async fn fit(documents: &Documents, arn: &str, wanted: &Tags) -> Result<bool> {
    let tags = of(documents, arn).await?;
    Ok(wanted.iter().all(|(key, value)| tags.get(key) == Some(value)))
}

/// Refuses tags that cannot be.
pub(crate) fn check(tags: &Tags) -> Result<()> {
    for (key, value) in tags {
        let (key, value) = (key.chars().count(), value.chars().count());
        if key == 0 || key > 128 || value > 256 {
            return Err(Error::invalid("a tag's key has 1 to 128 characters, its value at most 256"));
        }
    }
    check_count(tags)
}

/// Adds tags, replacing those of the same keys.
pub(crate) async fn add(documents: &Documents, arn: &str, tags: Tags) -> Result<()> {
    check(&tags)?;
    let changed = documents
        .change(KIND, arn, |kept: &mut Tags| {
            kept.extend(tags.clone());
            check_count(kept)
        })
        .await?;
    if changed || tags.is_empty() {
        return Ok(());
    }
    match documents.create(KIND, arn, &tags).await? {
        true => Ok(()),
        // Somebody else was quicker.
        false => Box::pin(add(documents, arn, tags)).await,
    }
}

/// Removes the tags of these keys.
pub(crate) async fn remove(documents: &Documents, arn: &str, keys: &[String]) -> Result<()> {
    let change = |kept: &mut Tags| {
        kept.retain(|key, _| !keys.contains(key));
        Ok(())
    };
    documents.change(KIND, arn, change).await.map(|_| ())
}

/// Forgets the tags of a resource that is no more.
pub(crate) async fn forget(documents: &Documents, arn: &str) -> Result<()> {
    documents.delete(KIND, arn).await.map(|_| ())
}

fn check_count(tags: &Tags) -> Result<()> {
    match tags.len() {
        0..=MAX_TAGS => Ok(()),
        many => Err(Error::invalid(format!("a resource may have {MAX_TAGS} tags, not {many}"))),
    }
}
