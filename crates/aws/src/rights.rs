//! What a key's policy must allow so that a statement may run: asked by every door at which statements come in.

use crate::keys::{Caller, KeyRing};
use engine::{Engine, Touched};
use model::{AccountId, Error, ErrorKind, Result};
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
/// definition or a change touches is not worked out; who may run one must be allowed them all.
pub(crate) async fn may_run(
    caller: &Caller,
    engine: &Engine,
    workgroup: &str,
    statement: &Statement,
    database: &str,
) -> Result<()> {
    if caller.may_all() {
        return Ok(());
    }
    for touched in engine.touched(statement, database, workgroup).await? {
        match touched {
            Touched::Table { database, table } => {
                allow(caller, "GetTable", &format!("table/{database}/{table}"))?;
            }
            Touched::Folder(at) => {
                may(caller, "s3:GetObject", &format!("arn:aws:s3:::{}/{}*", at.bucket(), at.key()))?;
            }
            Touched::AnyObject => may(caller, "s3:GetObject", "arn:aws:s3:::*")?,
            Touched::Tables(database) => {
                allow(caller, "GetTables", &format!("database/{}", database.as_deref().unwrap_or("*")))?;
            }
            Touched::Databases => allow(caller, "GetDatabases", "catalog")?,
            Touched::Change => {
                for operation in ["CreateTable", "UpdateTable", "DeleteTable"] {
                    allow(caller, operation, "*")?;
                }
                may(caller, "s3:PutObject", "arn:aws:s3:::*")?;
            }
        }
    }
    Ok(())
}

/// The keys of this door and their policies, for other doors at which the same people come in.
#[derive(Clone)]
pub struct Rights {
    keys: KeyRing,
    account: AccountId,
    region: String,
    engine: Engine,
}

impl Rights {
    /// The rights of these keys over that engine's tables. `region` stands in the ARNs that policies are asked for.
    pub fn new(keys: KeyRing, account: AccountId, region: &str, engine: Engine) -> Self {
        Self { keys, account, region: region.to_owned(), engine }
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

    /// Whether the key may know which databases there are.
    pub fn may_list(&self, id: &str) -> bool {
        self.caller(id).is_ok_and(|caller| caller.may("glue:GetDatabases", &arn(&caller, "catalog")))
    }

    /// Refuses a statement that the key may not run.
    pub async fn may_run(&self, id: &str, statement: &Statement, database: &str) -> Result<()> {
        let caller = self.caller(id)?;
        may_run(&caller, &self.engine, engine::PRIMARY_WORKGROUP, statement, database).await
    }

    fn caller(&self, id: &str) -> Result<Caller> {
        let key = self
            .keys
            .get(id)
            .ok_or_else(|| Error::new(ErrorKind::Denied, format!("there is no access key `{id}`")))?;
        Ok(Caller {
            key: Arc::clone(key),
            session: None,
            account: self.account.clone(),
            region: self.region.clone(),
        })
    }
}
