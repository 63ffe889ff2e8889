//! STS: who is calling. There are no temporary keys, so operations that would make some are refused by name.

use crate::fault::Fault;
use crate::keys::Caller;
use crate::query::Elements;

/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

const OPERATIONS: &str = "GetCallerIdentity";
const KNOWN: [&str; 8] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetFederationToken",
    "GetSessionToken",
    "AssumeRoot",
];

/// Runs an operation. Everybody may ask who they are, as at AWS, so no policy is asked.
pub(crate) fn run(action: &str, caller: &Caller) -> Result<Elements, Fault> {
    match action {
        "GetCallerIdentity" => Ok(vec![
            ("Arn", caller.arn()),
            ("UserId", caller.key.id.clone()),
            ("Account", caller.account.to_string()),
        ]),
        known if KNOWN.contains(&known) => Err(Fault::bad(
            "InvalidAction",
            format!(
                "{known} is not supported: there are no temporary keys here; use the access key itself. What is supported: {OPERATIONS}"
            ),
        )),
        "" => Err(Fault::bad(
            "MissingAction",
            format!("the request names no Action; what is supported: {OPERATIONS}"),
        )),
        other => Err(Fault::bad(
            "InvalidAction",
            format!("there is no operation `{other}` here; what is supported: {OPERATIONS}"),
        )),
    }
}
