//! Named queries: texts that are kept for a workgroup.

use super::{Athena, Done, Unprocessed, allow, limit};
use crate::json::{Call, Input, token};
use crate::page::write_token;
use crate::store::Kept;
use engine::PRIMARY_WORKGROUP;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

const KIND: &str = "athena.named-query";
const MAX_RESULTS: usize = 50;
/// How many named queries are looked through for those of one workgroup.
const MOST: usize = 10_000;

/// A named query as it is kept, by its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    database: String,
    query_string: String,
    work_group: String,
    /// The token that made it; a second call with it makes no second one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_request_token: Option<String>,
}

/// The queries of a workgroup.
pub(super) async fn of_workgroup(athena: &Athena, name: &str) -> Result<Vec<Kept<Named>>> {
    let mut all = athena.documents.list::<Named>(KIND, None, MOST).await?;
    all.retain(|kept| kept.body.work_group == name);
    Ok(all)
}

pub(super) async fn forget(athena: &Athena, id: &str) -> Result<bool> {
    athena.documents.delete(KIND, id).await
}

impl Athena {
    async fn named(&self, call: &Call, operation: &str, id: &str) -> Result<Named> {
        match self.documents.get::<Named>(KIND, id).await? {
            Some(kept) => {
                allow(call, operation, &kept.body.work_group)?;
                Ok(kept.body)
            }
            None => {
                allow(call, operation, "*")?;
                Err(Error::not_found(format!("NamedQuery {id} was not found")))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateNamedQuery {
    name: String,
    description: Option<String>,
    database: String,
    query_string: String,
    client_request_token: Option<String>,
    work_group: Option<String>,
}

impl Input for CreateNamedQuery {
    fn resources(&self) -> Vec<String> {
        super::of_workgroup(self.work_group.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    named_query_id: String,
}

pub(super) async fn create(athena: Athena, input: CreateNamedQuery) -> Result<Created> {
    let work_group = input.work_group.unwrap_or_else(|| PRIMARY_WORKGROUP.to_owned());
    athena.workgroup(&work_group).await?;
    let named = Named {
        name: input.name,
        description: input.description,
        database: input.database,
        query_string: input.query_string,
        work_group,
        client_request_token: input.client_request_token,
    };
    if named.name.is_empty() || named.name.chars().count() > 128 {
        return Err(Error::invalid("a named query's Name has 1 to 128 characters"));
    }
    // The token itself is the id's source, so that two calls at once make one query.
    let id = match &named.client_request_token {
        Some(token) => uuid(&crate::signature::hex_sha256(format!("named/{token}").as_bytes())),
        None => {
            let mut random = [0_u8; 16];
            getrandom::fill(&mut random)
                .map_err(|e| Error::unavailable("the system gives no random numbers").source_is(e))?;
            uuid(&hex::encode(random))
        }
    };
    if !athena.documents.create(KIND, &id, &named).await? {
        let kept = athena.documents.get::<Named>(KIND, &id).await?;
        let is_same = kept.is_some_and(|kept| {
            kept.body.name == named.name
                && kept.body.query_string == named.query_string
                && kept.body.database == named.database
                && kept.body.work_group == named.work_group
        });
        if !is_same {
            return Err(Error::invalid("Idempotent parameters do not match"));
        }
    }
    Ok(Created { named_query_id: id })
}

/// Hexadecimal digits in the form of a UUID.
fn uuid(digits: &str) -> String {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    named_query_id: String,
}

impl Input for One {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    database: String,
    query_string: String,
    named_query_id: String,
    work_group: String,
}

fn show(id: &str, named: Named) -> Shown {
    Shown {
        name: named.name,
        description: named.description,
        database: named.database,
        query_string: named.query_string,
        named_query_id: id.to_owned(),
        work_group: named.work_group,
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    named_query: Shown,
}

pub(super) async fn get(athena: Athena, call: Call, input: One) -> Result<Got> {
    let named = athena.named(&call, "GetNamedQuery", &input.named_query_id).await?;
    Ok(Got { named_query: show(&input.named_query_id, named) })
}

pub(super) async fn delete(athena: Athena, call: Call, input: One) -> Result<Done> {
    athena.named(&call, "DeleteNamedQuery", &input.named_query_id).await?;
    forget(&athena, &input.named_query_id).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Many {
    named_query_ids: Vec<String>,
}

impl Input for Many {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotMany {
    named_queries: Vec<Shown>,
    unprocessed_named_query_ids: Vec<NotGot>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotGot {
    named_query_id: String,
    error_code: String,
    error_message: String,
}

pub(super) async fn get_many(athena: Athena, call: Call, input: Many) -> Result<GotMany> {
    if input.named_query_ids.len() > MAX_RESULTS {
        return Err(Error::invalid(format!("NamedQueryIds may name {MAX_RESULTS} queries")));
    }
    if input.named_query_ids.is_empty() {
        allow(&call, "BatchGetNamedQuery", "*")?;
    }
    let mut got = GotMany { named_queries: Vec::new(), unprocessed_named_query_ids: Vec::new() };
    for id in input.named_query_ids {
        match athena.named(&call, "BatchGetNamedQuery", &id).await {
            Ok(named) => got.named_queries.push(show(&id, named)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Unprocessed { id, code, message } = Unprocessed::of(&id, &error);
                got.unprocessed_named_query_ids.push(NotGot {
                    named_query_id: id,
                    error_code: code,
                    error_message: message,
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateNamedQuery {
    named_query_id: String,
    name: String,
    description: Option<String>,
    query_string: String,
}

impl Input for UpdateNamedQuery {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(super) async fn update(athena: Athena, call: Call, input: UpdateNamedQuery) -> Result<Done> {
    athena.named(&call, "UpdateNamedQuery", &input.named_query_id).await?;
    athena
        .documents
        .change(KIND, &input.named_query_id, |named: &mut Named| {
            named.name.clone_from(&input.name);
            named.query_string.clone_from(&input.query_string);
            if input.description.is_some() {
                named.description.clone_from(&input.description);
            }
            Ok(())
        })
        .await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    work_group: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        super::of_workgroup(self.work_group.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    named_query_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(athena: Athena, input: Listing) -> Result<Listed> {
    let workgroup = input.work_group.as_deref().unwrap_or(PRIMARY_WORKGROUP);
    athena.workgroup(workgroup).await?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let all = of_workgroup(&athena, workgroup).await?;
    let mut left = all
        .into_iter()
        .map(|kept| kept.name)
        .filter(|id| after.as_deref().is_none_or(|after| id.as_str() > after));
    let named_query_ids: Vec<String> = left.by_ref().take(most).collect();
    let next_token = left.next().and_then(|_| named_query_ids.last().map(|last| write_token(last)));
    Ok(Listed { named_query_ids, next_token })
}
