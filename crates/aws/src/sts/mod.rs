//! STS: who is calling, and temporary keys for a session. What a session is stands in its token (`session`); here it is
//! decided who gets one.

mod assume;
mod fields;

use crate::fault::{Fault, sentence};
use crate::keys::{Caller, KeyRing};
use crate::query::{Element, Elements};
use crate::session::{Kind, Session};
use chrono::{DateTime, Utc};
use fields::{Fields, wrong};
use http::StatusCode;
use std::collections::BTreeMap;

/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

const OPERATIONS: &str =
    "AssumeRole, GetAccessKeyInfo, GetCallerIdentity, GetFederationToken, GetSessionToken";
const KNOWN: [&str; 6] = [
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetDelegatedAccessToken",
    "GetWebIdentityToken",
];

/// The longest session of a user, in seconds, and how long it is if nobody says anything.
const LONGEST: i64 = 129_600;
const USUAL: i64 = 43_200;
/// How many bytes all policies of a session may have together: they travel with every request.
const MAX_POLICIES: usize = 4096;
/// Who may do nothing.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

/// A request.
pub(crate) struct Asked<'a> {
    fields: Fields,
    caller: &'a Caller,
    keys: &'a KeyRing,
    now: DateTime<Utc>,
}

/// Runs an operation.
pub(crate) fn run(action: &str, asked: &Asked<'_>) -> Result<Elements, Fault> {
    match action {
        "AssumeRole" => assume::assume_role(asked),
        "GetAccessKeyInfo" => access_key_info(asked),
        // Everybody may ask who they are, as at AWS, so no policy is asked.
        "GetCallerIdentity" => Ok(vec![
            ("Arn", asked.caller.arn().into()),
            ("UserId", asked.caller.user_id().into()),
            ("Account", asked.caller.account.to_string().into()),
        ]),
        "GetFederationToken" => federation_token(asked),
        "GetSessionToken" => session_token(asked),
        known if KNOWN.contains(&known) => Err(Fault::bad(
            "InvalidAction",
            format!(
                "{known} is not supported: nobody is known here but by access keys. What is supported: {OPERATIONS}"
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

fn denied(message: impl Into<String>) -> Fault {
    Fault::new(StatusCode::FORBIDDEN, "AccessDenied", message)
}

impl<'a> Asked<'a> {
    pub(crate) fn new(
        fields: BTreeMap<String, String>,
        caller: &'a Caller,
        keys: &'a KeyRing,
        now: DateTime<Utc>,
    ) -> Self {
        Self { fields: Fields::new(fields), caller, keys, now }
    }

    /// Refuses what the caller's policy does not allow.
    fn allow(&self, action: &str, resource: &str) -> Result<(), Fault> {
        match self.caller.may(action, resource) {
            true => Ok(()),
            false => Err(denied(self.caller.denial(action, resource))),
        }
    }

    /// Refuses whoever calls with a temporary key: it would be a way to stay for ever.
    fn must_last(&self, action: &str) -> Result<(), Fault> {
        match &self.caller.session {
            None => Ok(()),
            Some(_) => Err(denied(format!("Cannot call {action} with session credentials"))),
        }
    }

    /// Begins a session of the key that calls, or that has made the temporary key that does. Gives what is told of it.
    fn begin(&self, kind: Kind, policies: Vec<String>, seconds: i64) -> Result<Elements, Fault> {
        let size: usize = policies.iter().map(String::len).sum();
        if size > MAX_POLICIES {
            return Err(Fault::bad(
                "PackedPolicyTooLarge",
                format!(
                    "the policies of this session, with those of the sessions before it, have {size} bytes; at most \
                     {MAX_POLICIES} are taken"
                ),
            ));
        }
        let maker = self.caller.maker();
        let key = self.keys.get(maker).ok_or_else(|| denied(format!("there is no access key `{maker}`")))?;
        let expires = self.now.timestamp() + seconds;
        let session = Session { maker: maker.to_owned(), kind, policies, expires, token: String::new() };
        let made = session.credentials(key).map_err(|error| {
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", sentence(&error))
        })?;
        let end = DateTime::from_timestamp(expires, 0).unwrap_or(self.now);
        let credentials = Element::Group(vec![
            ("AccessKeyId", made.id.into()),
            ("SecretAccessKey", made.secret.into()),
            ("SessionToken", made.token.into()),
            ("Expiration", end.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
        ]);
        let mut elements = vec![("Credentials", credentials)];
        if size > 0 {
            let percent = (size * 100).div_ceil(MAX_POLICIES);
            elements.push(("PackedPolicySize", percent.to_string().into()));
        }
        Ok(elements)
    }
}

/// A session of the user itself, with its own rights. As at AWS no policy is asked: nothing is gained by it.
fn session_token(asked: &Asked<'_>) -> Result<Elements, Fault> {
    asked.fields.only("GetSessionToken", &["DurationSeconds"])?;
    asked.must_last("GetSessionToken")?;
    asked.begin(Kind::User, Vec::new(), asked.fields.seconds(LONGEST, USUAL)?)
}

/// A session of somebody else, who may do what both the user and the session's policy allow: without one, nothing.
fn federation_token(asked: &Asked<'_>) -> Result<Elements, Fault> {
    let (fields, caller) = (&asked.fields, asked.caller);
    fields.only("GetFederationToken", &["Name", "Policy", "DurationSeconds", "Tags"])?;
    asked.must_last("GetFederationToken")?;
    let name = fields.required("Name")?.to_owned();
    fields.word("Name", 2..=32, &[])?;
    let seconds = fields.seconds(LONGEST, USUAL)?;
    let kind = Kind::Federated { name };
    let (arn, user_id) =
        (kind.arn(&caller.account, caller.maker()), kind.user_id(&caller.account, caller.maker()));
    asked.allow("sts:GetFederationToken", &arn)?;
    if fields.has_tags()? {
        asked.allow("sts:TagSession", &arn)?;
    }
    let policy = fields.policy()?.unwrap_or_else(|| NOTHING.to_owned());
    let mut elements = asked.begin(kind, vec![policy], seconds)?;
    let user = vec![("FederatedUserId", user_id.into()), ("Arn", arn.into())];
    elements.push(("FederatedUser", Element::Group(user)));
    Ok(elements)
}

/// Whose an access key is. Of a temporary one only its token could tell, so it is known to itself alone.
fn access_key_info(asked: &Asked<'_>) -> Result<Elements, Fault> {
    asked.fields.only("GetAccessKeyInfo", &["AccessKeyId"])?;
    let id = asked.fields.required("AccessKeyId")?;
    asked.allow("sts:GetAccessKeyInfo", "*")?;
    match asked.keys.get(id).is_some() || asked.caller.key.id == id {
        true => Ok(vec![("Account", asked.caller.account.to_string().into())]),
        false => Err(wrong(format!(
            "the access key `{id}` is neither one of aws.keys nor the caller's own; whose other temporary keys are is not \
             known here"
        ))),
    }
}

#[cfg(test)]
mod tests;
