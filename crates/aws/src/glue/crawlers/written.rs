//! A crawler as requests write it, and as it becomes ours.

use super::resource;
use crate::glue::shapes::{name, refuse};
use crate::json::Input;
use crate::tags::Tags;
use crawl::{Crawler, DeleteBehavior, Grouping, Recrawl, SchemaChangePolicy, Target, UpdateBehavior};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Targets {
    #[serde(rename = "S3Targets")]
    s3: Vec<S3Target>,
    #[serde(flatten)]
    others: std::collections::BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct S3Target {
    path: String,
    exclusions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_queue_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dlq_event_queue_arn: Option<String>,
}

impl Targets {
    fn take(self) -> Result<Vec<Target>> {
        for (kind, list) in self.others {
            if list.as_array().is_none_or(|list| !list.is_empty()) && !list.is_null() {
                return Err(Target::not_supported(&kind));
            }
        }
        self.s3
            .into_iter()
            .map(|target| {
                let path = target.path.trim();
                // Glue takes a bucket without the scheme, too.
                let text = if path.contains("://") { path.to_owned() } else { format!("s3://{path}") };
                match Target::parse(&text)? {
                    Target::S3 { path, .. } => Ok(Target::S3 {
                        path,
                        exclusions: target.exclusions,
                        sample_size: target.sample_size,
                    }),
                    Target::Local { .. } => {
                        Err(Error::invalid(format!("`{text}` is no address in the lake"))
                            .hint("write s3://bucket/folder/"))
                    }
                }
            })
            .collect()
    }

    pub(super) fn show(targets: &[Target]) -> Self {
        let one = |target: &Target| S3Target {
            path: target.to_string(),
            exclusions: target.exclusions().to_vec(),
            sample_size: target.sample_size(),
            ..S3Target::default()
        };
        Self { s3: targets.iter().map(one).collect(), others: Default::default() }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Policy {
    pub(super) update_behavior: Option<String>,
    pub(super) delete_behavior: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RecrawlPolicy {
    pub(super) recrawl_behavior: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::glue) struct Written {
    pub(super) name: String,
    pub(super) role: Option<String>,
    pub(super) database_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) targets: Option<Targets>,
    pub(super) schedule: Option<String>,
    pub(super) classifiers: Option<Vec<String>>,
    pub(super) table_prefix: Option<String>,
    pub(super) schema_change_policy: Option<Policy>,
    pub(super) recrawl_policy: Option<RecrawlPolicy>,
    pub(super) lineage_configuration: Option<Value>,
    pub(super) lake_formation_configuration: Option<Value>,
    pub(super) configuration: Option<String>,
    pub(super) crawler_security_configuration: Option<String>,
    pub(super) tags: Option<Tags>,
}

impl Input for Written {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}
fn word<T: Copy>(field: &str, text: Option<&str>, words: &[(&str, T)]) -> Result<Option<T>> {
    match text {
        None => Ok(None),
        Some(text) => match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(Error::invalid(format!("`{text}` is no {field}"))
                    .hint(format!("write {}", known.join(", "))))
            }
        },
    }
}

pub(super) const UPDATES: [(&str, UpdateBehavior); 2] =
    [("LOG", UpdateBehavior::Log), ("UPDATE_IN_DATABASE", UpdateBehavior::UpdateInDatabase)];
pub(super) const DELETES: [(&str, DeleteBehavior); 3] = [
    ("LOG", DeleteBehavior::Log),
    ("DELETE_FROM_DATABASE", DeleteBehavior::DeleteFromDatabase),
    ("DEPRECATE_IN_DATABASE", DeleteBehavior::DeprecateInDatabase),
];
pub(super) const RECRAWLS: [(&str, Recrawl); 3] = [
    ("CRAWL_EVERYTHING", Recrawl::Everything),
    ("CRAWL_NEW_FOLDERS_ONLY", Recrawl::NewFoldersOnly),
    ("CRAWL_EVENT_MODE", Recrawl::ByEvent),
];

pub(super) fn of<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("UPDATE_IN_DATABASE", |(word, _)| word)
}

/// What the JSON of a crawler's configuration says.
fn configure(crawler: &mut Crawler, text: &str) -> Result<()> {
    let wrong = |what: &str| {
        Error::unsupported(format!("the crawler's Configuration has {what}, which is not supported here"))
    };
    let value: Value = serde_json::from_str(text)
        .map_err(|e| Error::invalid("the crawler's Configuration is no JSON").source_is(e))?;
    let Value::Object(members) = value else {
        return Err(Error::invalid("the crawler's Configuration is no JSON object"));
    };
    for (member, value) in members {
        match member.as_str() {
            "Version" => {}
            "CreatePartitionIndex" => {}
            "Grouping" => {
                let is_combined = value.get("TableGroupingPolicy").and_then(Value::as_str)
                    == Some("CombineCompatibleSchemas");
                let level = value.get("TableLevelConfiguration").and_then(Value::as_u64);
                crawler.grouping = Grouping {
                    combine_compatible: is_combined,
                    table_level: level.and_then(|level| u32::try_from(level).ok()),
                };
            }
            "CrawlerOutput" => {
                let behavior = |what: &str| {
                    value.get(what).and_then(|it| it.get("AddOrUpdateBehavior")).and_then(Value::as_str)
                };
                match behavior("Partitions") {
                    None => {}
                    Some("InheritFromTable") => crawler.partitions_inherit = true,
                    Some(other) => return Err(wrong(&format!("`{other}` for partitions"))),
                }
                match behavior("Tables") {
                    None => {}
                    Some("MergeNewColumns") => {
                        crawler.schema_change.update = UpdateBehavior::AddNewColumnsOnly;
                    }
                    Some(other) => return Err(wrong(&format!("`{other}` for tables"))),
                }
            }
            other => return Err(wrong(&format!("`{other}`"))),
        }
    }
    Ok(())
}

impl Written {
    pub(super) fn check(&self) -> Result<()> {
        let is_set = |value: &Option<Value>, off: &str| {
            value.as_ref().is_some_and(|value| !value.is_null() && !value.to_string().contains(off))
        };
        refuse("LineageConfiguration", is_set(&self.lineage_configuration, "DISABLE"))?;
        refuse("LakeFormationConfiguration", is_set(&self.lake_formation_configuration, "false"))?;
        let security = self.crawler_security_configuration.as_ref();
        refuse("CrawlerSecurityConfiguration", security.is_some_and(|name| !name.is_empty()))
    }

    /// Puts what is said into the crawler.
    pub(super) fn apply(self, crawler: &mut Crawler) -> Result<()> {
        if let Some(targets) = self.targets {
            crawler.targets = targets.take()?;
        }
        if let Some(database) = self.database_name {
            crawler.database = name("DatabaseName", &database)?;
        }
        if let Some(prefix) = self.table_prefix {
            crawler.table_prefix = prefix;
        }
        if let Some(classifiers) = self.classifiers {
            crawler.classifiers = classifiers;
        }
        if let Some(policy) = self.schema_change_policy {
            let update = word("UpdateBehavior", policy.update_behavior.as_deref(), &UPDATES)?;
            let delete = word("DeleteBehavior", policy.delete_behavior.as_deref(), &DELETES)?;
            crawler.schema_change = SchemaChangePolicy {
                update: update.unwrap_or(crawler.schema_change.update),
                delete: delete.unwrap_or(crawler.schema_change.delete),
            };
        }
        if let Some(policy) = self.recrawl_policy {
            let behavior = word("RecrawlBehavior", policy.recrawl_behavior.as_deref(), &RECRAWLS)?;
            crawler.recrawl = behavior.unwrap_or_default();
        }
        if let Some(schedule) = self.schedule {
            crawler.schedule = Some(schedule).filter(|text| !text.is_empty());
        }
        if self.description.is_some() {
            crawler.description = self.description;
        }
        match self.configuration.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => configure(crawler, text),
            None => Ok(()),
        }
    }
}
