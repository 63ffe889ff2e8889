//! User-defined functions of Glue.

use super::Glue;
use super::databases::Done;
use super::shapes::{limit, name};
use crate::json::{Input, epoch, token};
use crate::page::write_token;
use catalog::{Function, FunctionEntry, FunctionKind, OwnerKind, Resource, ResourceKind};
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

const MAX_RESULTS: usize = 100;

fn touched(database: &str, function: &str) -> Vec<String> {
    let (database, function) = (database.to_lowercase(), function.to_lowercase());
    vec![
        "catalog".to_owned(),
        format!("database/{database}"),
        format!("userDefinedFunction/{database}/{function}"),
    ]
}

const KINDS: [(&str, FunctionKind); 3] = [
    ("REGULAR_FUNCTION", FunctionKind::Regular),
    ("AGGREGATE_FUNCTION", FunctionKind::Aggregate),
    ("STORED_PROCEDURE", FunctionKind::StoredProcedure),
];
const OWNERS: [(&str, OwnerKind); 3] =
    [("USER", OwnerKind::User), ("ROLE", OwnerKind::Role), ("GROUP", OwnerKind::Group)];
const FILES: [(&str, ResourceKind); 3] =
    [("JAR", ResourceKind::Jar), ("FILE", ResourceKind::File), ("ARCHIVE", ResourceKind::Archive)];

fn read<T: Copy>(field: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Error::invalid(format!("`{text}` is no {field}")).hint(format!("write {}", known.join(", ")))
    })
}

fn word<T: PartialEq>(value: &T, words: &[(&'static str, T)]) -> Option<&'static str> {
    words.iter().find(|(_, known)| known == value).map(|(word, _)| *word)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uri {
    resource_type: String,
    uri: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionInput {
    function_name: Option<String>,
    class_name: Option<String>,
    owner_name: Option<String>,
    owner_type: Option<String>,
    function_type: Option<String>,
    #[serde(default)]
    resource_uris: Vec<Uri>,
    artifact_location: Option<String>,
}

impl FunctionInput {
    fn take(self, known: Option<&str>) -> Result<Function> {
        let text = self.function_name.as_deref().or(known);
        let text = text.ok_or_else(|| Error::invalid("FunctionName is missing"))?;
        let mut function = Function::new(name("FunctionName", text)?);
        function.class_name = self.class_name;
        function.owner = self.owner_name;
        function.owner_kind = self.owner_type.map(|it| read("OwnerType", &it, &OWNERS)).transpose()?;
        function.kind = self.function_type.map(|it| read("FunctionType", &it, &KINDS)).transpose()?;
        function.artifact_location = self.artifact_location;
        function.resources = self
            .resource_uris
            .into_iter()
            .map(|one| Ok(Resource { kind: read("ResourceType", &one.resource_type, &FILES)?, uri: one.uri }))
            .collect::<Result<_>>()?;
        Ok(function)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    function_name: String,
    database_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_type: Option<&'static str>,
    #[serde(serialize_with = "epoch")]
    create_time: DateTime<Utc>,
    resource_uris: Vec<Uri>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_location: Option<String>,
}

fn show(entry: FunctionEntry) -> Shown {
    let function = entry.function;
    let uri = |resource: Resource| Uri {
        resource_type: word(&resource.kind, &FILES).unwrap_or_default().to_owned(),
        uri: resource.uri,
    };
    Shown {
        function_name: function.name.to_string(),
        database_name: entry.database.to_string(),
        class_name: function.class_name,
        owner_name: function.owner,
        owner_type: function.owner_kind.and_then(|kind| word(&kind, &OWNERS)),
        function_type: function.kind.and_then(|kind| word(&kind, &KINDS)),
        create_time: entry.created,
        resource_uris: function.resources.into_iter().map(uri).collect(),
        artifact_location: function.artifact_location,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    database_name: String,
    function_input: FunctionInput,
}

impl Input for Create {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, self.function_input.function_name.as_deref().unwrap_or_default())
    }
}

pub(super) async fn create(glue: Glue, input: Create) -> Result<Done> {
    let database = name("DatabaseName", &input.database_name)?;
    glue.rooms.catalog.create_function(&database, input.function_input.take(None)?).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    database_name: String,
    function_name: String,
    function_input: FunctionInput,
}

impl Input for Update {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.function_name)
    }
}

pub(super) async fn update(glue: Glue, input: Update) -> Result<Done> {
    let database = name("DatabaseName", &input.database_name)?;
    let old = name("FunctionName", &input.function_name)?;
    let new = input.function_input.take(Some(&input.function_name))?;
    glue.rooms.catalog.update_function(&database, &old, new).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    database_name: String,
    function_name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.function_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    user_defined_function: Shown,
}

pub(super) async fn get(glue: Glue, input: One) -> Result<Got> {
    let (database, function) =
        (name("DatabaseName", &input.database_name)?, name("FunctionName", &input.function_name)?);
    Ok(Got { user_defined_function: show(glue.rooms.catalog.get_function(&database, &function).await?) })
}

pub(super) async fn delete(glue: Glue, input: One) -> Result<Done> {
    let (database, function) =
        (name("DatabaseName", &input.database_name)?, name("FunctionName", &input.function_name)?);
    glue.rooms.catalog.delete_function(&database, &function).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    database_name: Option<String>,
    pattern: String,
    function_type: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        touched(self.database_name.as_deref().unwrap_or("*"), "*")
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    user_defined_functions: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The pattern is Hive's: `*` stands for any text, `|` for either.
pub(super) async fn list(glue: Glue, input: Listing) -> Result<Listed> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let kind = input.function_type.map(|it| read("FunctionType", &it, &KINDS)).transpose()?;
    let database = input.database_name.map(|it| name("DatabaseName", &it)).transpose()?;
    if let Some(database) = &database {
        glue.rooms.catalog.get_database(database).await?;
    }
    let key = |entry: &FunctionEntry| format!("{}.{}", entry.database, entry.function.name);
    let mut all = glue.rooms.catalog.list_functions(database.as_ref()).await?;
    all.retain(|entry| {
        fits(&input.pattern.to_lowercase(), entry.function.name.as_str())
            && kind.is_none_or(|kind| entry.function.kind == Some(kind))
            && after.as_deref().is_none_or(|after| key(entry).as_str() > after)
    });
    all.sort_by_key(key);
    let next_token = (all.len() > most).then(|| write_token(&key(&all[most - 1])));
    Ok(Listed { user_defined_functions: all.into_iter().take(most).map(show).collect(), next_token })
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern.split('|').any(|pattern| {
        let mut parts = pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_of_hive() {
        for (pattern, text, expected) in [
            ("*", "anything", true),
            ("to_*", "to_date", true),
            ("to_*", "from_date", false),
            ("*_date", "to_date", true),
            ("t*d*e", "to_date", true),
            ("to_date", "to_date", true),
            ("to_date", "to_date2", false),
            ("a|to_*", "to_date", true),
            ("*a*a*", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
