//! Custom classifiers of Glue's crawlers.

use super::Glue;
use super::databases::Done;
use super::shapes::limit;
use crate::json::{Input, token};
use crate::page::write_token;
use crawl::Stored;
use crawl::classify::CustomClassifier;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const MAX_RESULTS: usize = 100;

/// One of Glue's four sorts, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Written(Map<String, Value>);

impl Written {
    fn name(&self) -> &str {
        let named = self.0.values().find_map(|one| one.get("Name")).and_then(Value::as_str);
        named.unwrap_or_default()
    }

    /// The sort and its members.
    fn only(mut self) -> Result<(String, Value)> {
        self.0.retain(|_, value| !value.is_null());
        let mut sorts = self.0.into_iter();
        match (sorts.next(), sorts.next()) {
            (Some(sort), None) => Ok(sort),
            _ => Err(Error::invalid("exactly one classifier must be given")
                .hint("write one of GrokClassifier, XMLClassifier, JsonClassifier, CsvClassifier")),
        }
    }
}

impl Input for Written {
    fn resources(&self) -> Vec<String> {
        vec![format!("classifier/{}", self.name())]
    }
}

fn read(sort: String, members: Value) -> Result<CustomClassifier> {
    let mut whole = Map::new();
    whole.insert(sort.clone(), members);
    serde_json::from_value(Value::Object(whole))
        .map_err(|e| Error::invalid(format!("the {sort} cannot be read: {e}")))
}

pub(super) async fn create(glue: Glue, input: Written) -> Result<Done> {
    let (sort, members) = input.only()?;
    glue.rooms.crawlers.create_classifier(read(sort, members)?).await?;
    Ok(Done {})
}

/// What is not said stays as it is.
pub(super) async fn update(glue: Glue, input: Written) -> Result<Done> {
    let name = input.name().to_owned();
    let (sort, members) = input.only()?;
    let kept = glue.rooms.crawlers.get_classifier(&name).await?;
    let mut whole = value(&kept.definition)?;
    let Some(Value::Object(old)) = whole.get_mut(&sort) else {
        return Err(Error::invalid(format!("the classifier `{name}` is no {sort}")));
    };
    if let Value::Object(members) = members {
        old.extend(members);
    }
    let members = whole.remove(&sort).unwrap_or_default();
    glue.rooms.crawlers.update_classifier(read(sort, members)?, Some(kept.version)).await?;
    Ok(Done {})
}

fn value(classifier: &CustomClassifier) -> Result<Map<String, Value>> {
    match serde_json::to_value(classifier) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::internal("a classifier cannot be written")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        vec![format!("classifier/{}", self.name)]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    classifier: Value,
}

fn show(stored: &Stored<CustomClassifier>) -> Result<Value> {
    let mut whole = value(&stored.definition)?;
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit exactly")]
    let seconds = |time: chrono::DateTime<chrono::Utc>| Value::from(time.timestamp_millis() as f64 / 1000.0);
    for members in whole.values_mut().filter_map(Value::as_object_mut) {
        members.insert("CreationTime".to_owned(), seconds(stored.created));
        members.insert("LastUpdated".to_owned(), seconds(stored.updated));
        members.insert("Version".to_owned(), Value::from(stored.version));
    }
    Ok(Value::Object(whole))
}

pub(super) async fn get(glue: Glue, input: One) -> Result<Got> {
    Ok(Got { classifier: show(&glue.rooms.crawlers.get_classifier(&input.name).await?)? })
}

pub(super) async fn delete(glue: Glue, input: One) -> Result<Done> {
    glue.rooms.crawlers.delete_classifier(&input.name).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    classifiers: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(glue: Glue, input: Listing) -> Result<Listed> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let all = glue.rooms.crawlers.list_classifiers().await?;
    let left: Vec<_> = all
        .into_iter()
        .filter(|one| after.as_deref().is_none_or(|after| one.definition.name() > after))
        .collect();
    let next_token = (left.len() > most).then(|| write_token(left[most - 1].definition.name()));
    let classifiers = left.iter().take(most).map(show).collect::<Result<_>>()?;
    Ok(Listed { classifiers, next_token })
}
