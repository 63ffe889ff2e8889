//! Data catalogs: ours, and names that stand for it. Catalogs of other kinds are refused.

use super::start::CATALOG;
use super::workgroups::{Tag, tags_of};
use super::{Athena, Done, limit};
use crate::json::{Call, Input, token};
use crate::page::write_token;
use crate::tags;
use catalog::Parameters;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

const KIND: &str = "athena.catalog";
const MAX_RESULTS: usize = 50;

/// A catalog as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DataCatalog {
    description: Option<String>,
    parameters: Parameters,
}

fn resource(name: &str) -> Vec<String> {
    vec![format!("datacatalog/{name}")]
}

fn arn(call: &Call, name: &str) -> String {
    call.arn("athena", &format!("datacatalog/{name}"))
}

fn is_ours(name: &str) -> bool {
    name.eq_ignore_ascii_case(CATALOG)
}

impl Athena {
    /// Refuses a catalog that is not there. Every catalog that is there is ours, by this or another name.
    pub(super) async fn check_catalog(&self, name: Option<&str>) -> Result<()> {
        match name {
            None => Ok(()),
            Some(name) if is_ours(name) => Ok(()),
            Some(name) => self.data_catalog(name).await.map(|_| ()),
        }
    }

    async fn data_catalog(&self, name: &str) -> Result<DataCatalog> {
        if is_ours(name) {
            return Ok(DataCatalog::default());
        }
        match self.documents.get(KIND, name).await? {
            Some(kept) => Ok(kept.body),
            None => Err(Error::not_found(format!("DataCatalog {name} was not found"))
                .hint(format!("the one that is always there is {CATALOG}"))),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Written {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    description: Option<String>,
    parameters: Option<Parameters>,
    tags: Option<Vec<Tag>>,
}

impl Input for Written {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

impl Written {
    /// Only catalogs of Glue, and of this account, can be asked here.
    fn check(&self, account: Option<&str>) -> Result<()> {
        if self.kind != "GLUE" {
            return Err(Error::unsupported(format!(
                "data catalogs of the type {} are not supported here",
                self.kind
            ))
            .hint("write GLUE"));
        }
        let id = self.parameters.as_ref().and_then(|parameters| parameters.get("catalog-id"));
        match (id, account) {
            (Some(id), Some(account)) if id != account => {
                Err(Error::unsupported(format!("the catalog of the account {id} is not here"))
                    .hint(format!("the account is {account}")))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    parameters: Parameters,
    status: &'static str,
}

fn show(name: String, catalog: DataCatalog, status: &'static str) -> Shown {
    Shown { name, kind: "GLUE", description: catalog.description, parameters: catalog.parameters, status }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    data_catalog: Shown,
}

pub(super) async fn create(athena: Athena, call: Call, input: Written) -> Result<Got> {
    input.check(Some(call.caller.account.as_str()))?;
    let fits = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '@' | '-');
    if !(1..=127).contains(&input.name.len()) || !input.name.chars().all(fits) {
        return Err(Error::invalid(format!("`{}` is no name for a data catalog", input.name))
            .hint("use 1 to 127 letters, digits, underscores, at signs and hyphens"));
    }
    let tags = tags_of(input.tags);
    tags::check(&tags)?;
    let catalog =
        DataCatalog { description: input.description, parameters: input.parameters.unwrap_or_default() };
    if is_ours(&input.name) || !athena.documents.create(KIND, &input.name, &catalog).await? {
        return Err(Error::already_exists(format!("DataCatalog {} has already been created", input.name)));
    }
    tags::add(&athena.documents, &arn(&call, &input.name), tags).await?;
    Ok(Got { data_catalog: show(input.name, catalog, "CREATE_COMPLETE") })
}

pub(super) async fn update(athena: Athena, input: Written) -> Result<Done> {
    input.check(None)?;
    if is_ours(&input.name) {
        return Err(Error::invalid(format!("the data catalog {CATALOG} cannot be changed")));
    }
    let found = athena
        .documents
        .change(KIND, &input.name, |catalog: &mut DataCatalog| {
            if input.description.is_some() {
                catalog.description.clone_from(&input.description);
            }
            if let Some(parameters) = &input.parameters {
                catalog.parameters.clone_from(parameters);
            }
            Ok(())
        })
        .await?;
    match found {
        true => Ok(Done {}),
        false => athena.data_catalog(&input.name).await.map(|_| Done {}),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

pub(super) async fn get(athena: Athena, input: One) -> Result<Got> {
    let catalog = athena.data_catalog(&input.name).await?;
    Ok(Got { data_catalog: show(input.name, catalog, "CREATE_COMPLETE") })
}

pub(super) async fn delete(athena: Athena, call: Call, input: One) -> Result<Got> {
    if is_ours(&input.name) {
        return Err(Error::invalid(format!("the data catalog {CATALOG} cannot be deleted")));
    }
    let catalog = athena.data_catalog(&input.name).await?;
    athena.documents.delete(KIND, &input.name).await?;
    tags::forget(&athena.documents, &arn(&call, &input.name)).await?;
    Ok(Got { data_catalog: show(input.name, catalog, "DELETE_COMPLETE") })
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
    data_catalogs_summary: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    catalog_name: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    status: &'static str,
}

/// Ours comes first, on the first page.
pub(super) async fn list(athena: Athena, input: Listing) -> Result<Listed> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let kept = athena.documents.list::<DataCatalog>(KIND, after.as_deref(), most + 1).await?;
    let mut names: Vec<String> = kept.into_iter().map(|kept| kept.name).collect();
    if after.is_none() {
        names.insert(0, CATALOG.to_owned());
    }
    // Behind ours the others begin; the empty name is before all of them.
    let last = |name: &String| if is_ours(name) { String::new() } else { name.clone() };
    let next_token = (names.len() > most).then(|| write_token(&last(&names[most - 1])));
    names.truncate(most);
    let summary = |name| Summary { catalog_name: name, kind: "GLUE", status: "CREATE_COMPLETE" };
    Ok(Listed { data_catalogs_summary: names.into_iter().map(summary).collect(), next_token })
}
