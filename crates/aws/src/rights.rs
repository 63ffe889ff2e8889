//! What a key's policy must allow so that a statement may run: asked by every door at which statements come in.

use crate::keys::{Caller, KeyRing};
use catalog::Catalog;
use engine::Engine;
use model::{AccountId, Error, ErrorKind, LakeUri, Result};
use sql::Statement;
use std::sync::Arc;

/// Refuses what the caller's policy does not allow.
pub(crate) fn may(caller: &Caller, action: &str, arn: &str) -> Result<()> {
    match caller.may(action, arn) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Denied, caller.denial(action, arn))),
    }
}

/// The same for a thing of the catalog, by the part of its ARN behind the account.
fn allow(caller: &Caller, operation: &str, rest: &str) -> Result<()> {
    may(caller, &format!("glue:{operation}"), &arn(caller, rest))
}

fn arn(caller: &Caller, rest: &str) -> String {
    format!("arn:aws:glue:{}:{}:{rest}", caller.region, caller.account)
}

/// A statement reads and writes with the caller's own rights: the tables that it names and their data. Which tables a
/// definition or a change touches is not worked out; who may run one must be allowed them all. `kept` finds the
/// statement behind the name of a prepared one.
pub(crate) async fn may_run(
    caller: &Caller,
    catalog: &Catalog,
    kept: Option<&Statement>,
    statement: &Statement,
    database: &str,
) -> Result<()> {
    let statement = kept.unwrap_or(statement);
    for (database, table) in engine::named_tables(statement, database) {
        allow(caller, "GetTable", &format!("table/{database}/{table}"))?;
        let names = (model::EntityName::new(&database), model::EntityName::new(&table));
        let (Ok(database), Ok(table)) = names else { continue };
        // Whether it is there is for the engine to say.
        let entry = match catalog.get_table(&database, &table).await {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entry => entry?,
        };
        let place = entry.table.storage.location.as_deref().and_then(|at| at.parse::<LakeUri>().ok());
        if let Some(place) = place {
            let place = place.as_folder();
            may(caller, "s3:GetObject", &format!("arn:aws:s3:::{}/{}*", place.bucket(), place.key()))?;
        }
    }
    if !statement.only_reads() {
        for operation in ["CreateTable", "UpdateTable", "DeleteTable"] {
            allow(caller, operation, "*")?;
        }
        may(caller, "s3:PutObject", "arn:aws:s3:::*")?;
    }
    Ok(())
}

/// The statement that a prepared one stands for; the engine says if there is none.
pub(crate) async fn kept_statement(
    engine: &Engine,
    workgroup: &str,
    statement: &Statement,
) -> Result<Option<Statement>> {
    let Statement::Execute { name, .. } = statement else { return Ok(None) };
    match engine.get_prepared(workgroup, &name.value).await {
        Ok(kept) => sql::parse_one(&kept.query, "<prepared>").map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The keys of this door and their policies, for other doors at which the same people come in.
#[derive(Clone)]
pub struct Rights {
    keys: KeyRing,
    account: AccountId,
    region: String,
    catalog: Catalog,
    engine: Engine,
}

impl Rights {
    /// The rights of these keys over that catalog. `region` stands in the ARNs that policies are asked for.
    pub fn new(keys: KeyRing, account: AccountId, region: &str, catalog: Catalog, engine: Engine) -> Self {
        Self { keys, account, region: region.to_owned(), catalog, engine }
    }

    /// The secret of the key of that id.
    pub fn secret(&self, id: &str) -> Option<String> {
        self.keys.get(id).map(|key| key.secret.clone())
    }

    /// Whether the key may know of this table.
    pub fn may_see(&self, id: &str, database: &str, table: &str) -> bool {
        self.caller(id).is_ok_and(|caller| {
            caller.may("glue:GetTable", &arn(&caller, &format!("table/{database}/{table}")))
        })
    }

    /// Refuses a statement that the key may not run.
    pub async fn may_run(&self, id: &str, statement: &Statement, database: &str) -> Result<()> {
        let caller = self.caller(id)?;
        let kept = kept_statement(&self.engine, engine::PRIMARY_WORKGROUP, statement).await?;
        may_run(&caller, &self.catalog, kept.as_ref(), statement, database).await
    }

    fn caller(&self, id: &str) -> Result<Caller> {
        let key = self
            .keys
            .get(id)
            .ok_or_else(|| Error::new(ErrorKind::Denied, format!("there is no access key `{id}`")))?;
        Ok(Caller { key: Arc::clone(key), account: self.account.clone(), region: self.region.clone() })
    }
}
