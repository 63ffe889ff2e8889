//! Who asks, and what they may do: the policy of their access key is asked before anything is done.

use engine::{Engine, PRIMARY_WORKGROUP, Touched};
use lake::Lake;
use model::{AccountId, BucketName, Error, ErrorKind, LakeUri, Result};
use sql::Statement;
use std::sync::Arc;

/// The region in the ARNs that the console asks for; what is kept here belongs to every region.
const REGION: &str = "us-east-1";

/// The access keys, as far as a door needs them.
pub trait Keys: Send + Sync {
    /// Whether there is a key of that id and secret, and it may use the console.
    fn admits(&self, id: &str, secret: &str) -> bool;

    /// Whether the key of that id may do this (`s3:GetObject`) to that (an ARN).
    fn allows(&self, id: &str, action: &str, resource: &str) -> bool;
}

/// Who asks. Where nobody has to log in, it is this machine's user, who may do everything.
#[derive(Clone)]
pub struct Caller {
    key: Option<(String, Arc<dyn Keys>)>,
    account: AccountId,
}

impl Caller {
    /// This machine's user.
    pub fn owner(account: AccountId) -> Self {
        Self { key: None, account }
    }

    /// Who has logged in with a key.
    pub fn keyed(id: String, keys: Arc<dyn Keys>, account: AccountId) -> Self {
        Self { key: Some((id, keys)), account }
    }

    /// Whether it is this machine's user.
    pub fn is_owner(&self) -> bool {
        self.key.is_none()
    }

    /// The key's id.
    pub fn name(&self) -> Option<&str> {
        self.key.as_ref().map(|(id, _)| id.as_str())
    }

    /// The ARN of a thing of a service, by the part behind the account.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{REGION}:{}:{rest}", self.account)
    }

    /// Whether the caller may do this to that.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.key.as_ref().is_none_or(|(id, keys)| keys.allows(id, action, resource))
    }

    /// Refuses what the key's policy does not allow.
    pub fn may(&self, action: &str, resource: &str) -> Result<()> {
        match (&self.key, self.allows(action, resource)) {
            (Some((id, _)), false) => Err(Error::new(
                ErrorKind::Denied,
                format!("the access key `{id}` may not {action} on {resource}"),
            )
            .why("no statement of its policy allows it, or one denies it")
            .hint("log in with another key, or have its policy changed")),
            _ => Ok(()),
        }
    }

    /// The same for a thing of a service: `action` is the part behind the colon.
    pub fn may_on(&self, service: &str, action: &str, rest: &str) -> Result<()> {
        self.may(&format!("{service}:{action}"), &self.arn(service, rest))
    }

    /// The same for an object of the lake, or for all below a folder.
    pub fn may_object(&self, action: &str, uri: &LakeUri) -> Result<()> {
        let star = if uri.key().is_empty() || uri.key().ends_with('/') { "*" } else { "" };
        self.may(&format!("s3:{action}"), &format!("arn:aws:s3:::{}/{}{star}", uri.bucket(), uri.key()))
    }

    /// The same for reading what an address may mean: an object, all below a folder, or all that a pattern may fit.
    pub async fn may_read(&self, lake: &Lake, uri: &LakeUri) -> Result<()> {
        if self.is_owner() {
            return Ok(());
        }
        let below =
            |prefix: &str| self.may("s3:GetObject", &format!("arn:aws:s3:::{}/{prefix}*", uri.bucket()));
        let key = uri.key();
        if let Some(at) = key.find(['*', '?', '[', '{']) {
            return below(&key[..at]);
        }
        self.may_object("GetObject", uri)?;
        let is_folder = key.is_empty() || key.ends_with('/');
        if !is_folder && lake.head(uri).await.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            below(&format!("{key}/"))?;
        }
        Ok(())
    }

    /// The same for a bucket that is made if it is missing.
    pub async fn may_make_bucket(&self, lake: &Lake, bucket: &BucketName) -> Result<()> {
        match self.is_owner() || lake.bucket_exists(bucket).await? {
            true => Ok(()),
            false => self.may_bucket("CreateBucket", bucket.as_str()),
        }
    }

    /// The same for a bucket.
    pub fn may_bucket(&self, action: &str, bucket: &str) -> Result<()> {
        self.may(&format!("s3:{action}"), &format!("arn:aws:s3:::{bucket}"))
    }

    /// Refuses what only this machine's user may do, such as reading this machine's disk.
    pub fn must_be_owner(&self, what: &str) -> Result<()> {
        match self.is_owner() {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Denied, format!("{what} is not for those who log in"))
                .why("it reaches files or processes of the server's machine")
                .hint("use the command line on that machine")),
        }
    }
}

/// Whether the caller may run these statements: the tables that they read, and their data; who runs a definition or a
/// change must be allowed all of them, since what they touch is not worked out. What cannot be read cannot run, and is
/// for the engine to tell.
pub async fn may_query(caller: &Caller, engine: &Engine, text: &str, database: &str) -> Result<()> {
    if caller.is_owner() {
        return Ok(());
    }
    caller.may_on("athena", "StartQueryExecution", &format!("workgroup/{PRIMARY_WORKGROUP}"))?;
    let Ok(statements) = sql::parse_located(text, "<query>") else { return Ok(()) };
    for located in statements {
        may_run(caller, engine, &located.statement, database).await?;
    }
    Ok(())
}

async fn may_run(caller: &Caller, engine: &Engine, statement: &Statement, database: &str) -> Result<()> {
    for touched in engine.touched(statement, database, PRIMARY_WORKGROUP).await? {
        match touched {
            Touched::Table { database, table } => {
                caller.may_on("glue", "GetTable", &format!("table/{database}/{table}"))?;
            }
            Touched::Folder(at) => caller.may_object("GetObject", &at)?,
            Touched::AnyObject => caller.may("s3:GetObject", "arn:aws:s3:::*")?,
            Touched::Tables(database) => {
                let of = format!("database/{}", database.as_deref().unwrap_or("*"));
                caller.may_on("glue", "GetTables", &of)?;
            }
            Touched::Databases => caller.may_on("glue", "GetDatabases", "catalog")?,
            Touched::Change => may_change_anything(caller)?,
        }
    }
    Ok(())
}

/// Whether the caller may change all tables and write all objects: asked for what is not worked out more finely.
pub fn may_change_anything(caller: &Caller) -> Result<()> {
    for action in ["CreateTable", "UpdateTable", "DeleteTable"] {
        caller.may_on("glue", action, "*")?;
    }
    caller.may("s3:PutObject", "arn:aws:s3:::*")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Reader;

    impl Keys for Reader {
        fn admits(&self, id: &str, secret: &str) -> bool {
            (id, secret) == ("reader", "s3cret")
        }

        fn allows(&self, id: &str, action: &str, resource: &str) -> bool {
            id == "reader" && action == "s3:GetObject" && resource.starts_with("arn:aws:s3:::open/")
        }
    }

    #[test]
    fn a_key_may_do_what_its_policy_says() {
        let account: AccountId = "123456789012".parse().unwrap();
        let reader = Caller::keyed("reader".to_owned(), Arc::new(Reader), account.clone());
        let owner = Caller::owner(account);
        let [open, closed]: [LakeUri; 2] =
            ["s3://open/a.csv", "s3://closed/"].map(|uri| uri.parse().unwrap());
        assert!(reader.may_object("GetObject", &open).is_ok());
        let refused = reader.may_object("GetObject", &closed).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied);
        assert!(refused.to_string().contains("arn:aws:s3:::closed/*"), "{refused}");
        assert!(reader.may_bucket("ListBucket", "open").is_err());
        assert!(reader.may_on("glue", "GetTable", "table/a/b").is_err());
        assert!(reader.must_be_owner("a script of the disk").is_err());
        assert!(owner.may_object("GetObject", &closed).is_ok() && owner.must_be_owner("it").is_ok());
        assert_eq!((reader.name(), owner.name()), (Some("reader"), None));
        assert_eq!(reader.arn("glue", "table/a/b"), "arn:aws:glue:us-east-1:123456789012:table/a/b");
    }
}
