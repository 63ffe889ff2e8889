//! What a crawler is: its targets, where its tables go, and what it may change there.
//!
//! Definitions are plain values that serialise as they are stored. [`Crawler::check`] refuses what cannot work before it
//! is stored, so that a crawl never fails for its definition.

use crate::glob::Glob;
use model::{EntityName, Error, LakeUri, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// More targets than this in one crawler are refused.
const MAX_TARGETS: usize = 500;
/// More exclusion patterns than this in one target are refused.
const MAX_EXCLUSIONS: usize = 1000;
/// Glue's limit for the files sampled in a leaf folder.
const MAX_SAMPLE_SIZE: u32 = 249;

/// A crawler's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crawler {
    /// The name, 1 to 255 characters.
    pub name: String,
    /// What it looks at.
    pub targets: Vec<Target>,
    /// The database its tables go to; made by the first crawl if it is missing.
    pub database: EntityName,
    /// Put before every table's name.
    #[serde(default)]
    pub table_prefix: String,
    /// Names of stored custom classifiers, tried in this order before the built-in ones.
    #[serde(default)]
    pub classifiers: Vec<String>,
    /// What happens to tables whose data changed.
    #[serde(default)]
    pub schema_change: SchemaChangePolicy,
    /// How much a repeated crawl looks at.
    #[serde(default)]
    pub recrawl: Recrawl,
    /// How folders become tables.
    #[serde(default)]
    pub grouping: Grouping,
    /// Partitions take their columns and format from the table, even where their own objects differ.
    #[serde(default)]
    pub partitions_inherit: bool,
    /// A cron expression, kept for the scheduler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// A note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How many files of a leaf folder are read; a target may say its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_size: Option<u32>,
}

impl Crawler {
    /// A crawler of these targets with everything else as usual.
    pub fn new(name: impl Into<String>, database: EntityName, targets: Vec<Target>) -> Self {
        Self {
            name: name.into(),
            targets,
            database,
            table_prefix: String::new(),
            classifiers: Vec::new(),
            schema_change: SchemaChangePolicy::default(),
            recrawl: Recrawl::default(),
            grouping: Grouping::default(),
            partitions_inherit: false,
            schedule: None,
            description: None,
            tags: BTreeMap::new(),
            sample_size: None,
        }
    }

    /// Refuses a definition that cannot work.
    pub fn check(&self) -> Result<()> {
        check_name("crawler", &self.name)?;
        if self.targets.is_empty() {
            return Err(Error::invalid(format!("crawler `{}` has no target", self.name))
                .hint("name at least one folder, such as s3://bucket/folder/"));
        }
        if self.targets.len() > MAX_TARGETS {
            return Err(Error::invalid(format!(
                "crawler `{}` has {} targets, the limit is {MAX_TARGETS}",
                self.name,
                self.targets.len()
            ))
            .hint("split it into several crawlers, or name a common folder"));
        }
        if self.table_prefix.chars().count() > 128 || self.table_prefix.chars().any(char::is_control) {
            return Err(Error::invalid(
                "a table prefix must have at most 128 characters, none of them control characters",
            ));
        }
        if self.grouping.table_level.is_some_and(|level| level == 0 || level > 64) {
            return Err(Error::invalid("the table level must be 1 to 64").why("level 1 is the bucket itself"));
        }
        check_sample_size(self.sample_size)?;
        self.targets.iter().try_for_each(Target::check)
    }
}

/// What a crawler looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// A folder, an object or a whole bucket of the lake.
    S3 {
        /// Where.
        path: LakeUri,
        /// Patterns of what is left out, relative to the path.
        #[serde(default)]
        exclusions: Vec<String>,
        /// How many files of a leaf folder are read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample_size: Option<u32>,
    },
    /// A folder or file of this machine, described where it lies.
    Local {
        /// Where.
        path: PathBuf,
        /// Patterns of what is left out, relative to the path.
        #[serde(default)]
        exclusions: Vec<String>,
        /// How many files of a leaf folder are read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample_size: Option<u32>,
    },
}

impl Target {
    /// Everything under that address.
    pub fn s3(path: LakeUri) -> Self {
        Self::S3 { path, exclusions: Vec::new(), sample_size: None }
    }

    /// Everything under that folder of this machine.
    pub fn local(path: impl Into<PathBuf>) -> Self {
        Self::Local { path: path.into(), exclusions: Vec::new(), sample_size: None }
    }

    /// A target by its address: `s3://bucket/folder`, `file:///folder` or a path. Other kinds are refused by name.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once("://") {
            None => Ok(Self::local(text)),
            Some(("s3" | "s3a" | "s3n", _)) => Ok(Self::s3(text.parse()?)),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::local(path)),
            Some((kind, _)) => Err(Self::not_supported(kind)),
        }
    }

    /// The refusal of a target of another kind, by its name.
    pub fn not_supported(kind: &str) -> Error {
        Error::unsupported(format!("targets of kind `{kind}` are not supported yet"))
            .hint("crawl a folder or object by its s3:// address, or a path on this machine")
    }

    /// Its patterns of what is left out.
    pub fn exclusions(&self) -> &[String] {
        match self {
            Self::S3 { exclusions, .. } | Self::Local { exclusions, .. } => exclusions,
        }
    }

    /// How many files of a leaf folder are read, where it says.
    pub fn sample_size(&self) -> Option<u32> {
        match self {
            Self::S3 { sample_size, .. } | Self::Local { sample_size, .. } => *sample_size,
        }
    }

    fn check(&self) -> Result<()> {
        let patterns = self.exclusions();
        if patterns.len() > MAX_EXCLUSIONS {
            return Err(Error::invalid(format!(
                "a target has {} exclusion patterns, the limit is {MAX_EXCLUSIONS}",
                patterns.len()
            )));
        }
        for pattern in patterns {
            Glob::new(pattern)?;
        }
        check_sample_size(self.sample_size())
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::S3 { path, .. } => path.fmt(f),
            Self::Local { path, .. } => path.display().fmt(f),
        }
    }
}

/// What happens to tables whose data changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChangePolicy {
    /// When columns or formats changed.
    #[serde(default)]
    pub update: UpdateBehavior,
    /// When a table's or partition's objects are gone.
    #[serde(default)]
    pub delete: DeleteBehavior,
}

/// What happens when columns or formats changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateBehavior {
    /// The table is made what the data says; people's comments and parameters stay.
    #[default]
    UpdateInDatabase,
    /// New columns are added; none is removed or changed.
    AddNewColumnsOnly,
    /// The change is reported, the table stays.
    Log,
}

/// What happens when a table's or partition's objects are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteBehavior {
    /// The table or partition is removed from the catalog.
    DeleteFromDatabase,
    /// It stays and is marked with the parameter `DEPRECATED_BY_CRAWLER`.
    #[default]
    DeprecateInDatabase,
    /// It is reported and stays.
    Log,
}

/// How much a repeated crawl looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recrawl {
    /// All of every target.
    #[default]
    Everything,
    /// Folders that no earlier crawl of this crawler has seen.
    NewFoldersOnly,
    /// Folders in which objects were written or deleted since the last crawl.
    ByEvent,
}

/// How folders become tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// Sibling folders whose schemas can be united are one table, however different they are.
    #[serde(default)]
    pub combine_compatible: bool,
    /// Tables stand at this level: 1 is the bucket (or the local target itself), 2 the folders in it, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_level: Option<u32>,
}

/// Checks a crawler's or classifier's name.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let length = name.chars().count();
    if length == 0 || length > 255 {
        return Err(Error::invalid(format!(
            "a {what}'s name must have 1 to 255 characters, this one has {length}"
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("a {what}'s name must not hold control characters")));
    }
    Ok(())
}

fn check_sample_size(size: Option<u32>) -> Result<()> {
    match size {
        Some(n) if n == 0 || n > MAX_SAMPLE_SIZE => {
            Err(Error::invalid(format!("the sample size is {n}, it must be 1 to {MAX_SAMPLE_SIZE} files")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ErrorKind;

    #[test]
    fn targets_by_address() {
        assert_eq!(Target::parse("s3://abc/x/").unwrap(), Target::s3("s3://abc/x/".parse().unwrap()));
        assert_eq!(Target::parse("file:///tmp/x").unwrap(), Target::local("/tmp/x"));
        assert_eq!(Target::parse("data/x").unwrap(), Target::local("data/x"));
        let error = Target::parse("jdbc://host/db").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("`jdbc`"));
    }

    #[test]
    fn a_definition_is_stored_and_read_back_with_defaults() {
        let json = r#"{"name":"c","targets":[{"kind":"s3","path":"s3://abc/x/"}],"database":"db"}"#;
        let crawler: Crawler = serde_json::from_str(json).unwrap();
        crawler.check().unwrap();
        assert_eq!(crawler.schema_change.delete, DeleteBehavior::DeprecateInDatabase);
        let again: Crawler = serde_json::from_str(&serde_json::to_string(&crawler).unwrap()).unwrap();
        assert_eq!(again, crawler);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let good =
            Crawler::new("c", EntityName::new("db").unwrap(), vec![Target::parse("s3://abc/x/").unwrap()]);
        let mut none = good.clone();
        none.targets.clear();
        let mut level = good.clone();
        level.grouping.table_level = Some(0);
        let mut sample = good.clone();
        sample.sample_size = Some(0);
        let mut pattern = good.clone();
        pattern.targets = vec![Target::S3 {
            path: "s3://abc/".parse().unwrap(),
            exclusions: vec!["[a".into()],
            sample_size: None,
        }];
        let mut unnamed = good.clone();
        unnamed.name.clear();
        good.check().unwrap();
        for bad in [none, level, sample, pattern, unnamed] {
            assert_eq!(bad.check().unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
        }
    }
}
