//! Roles. Which there are, and what they may do, is configured; as long as none is, a role is but a name for a session
//! with the caller's own rights.

use super::Asked;
use super::fields::wrong;
use crate::fault::Fault;
use crate::keys::is_role;
use crate::query::{Element, Elements};
use crate::session::{Assumed, Kind};

/// The longest session, in seconds, and how long it is if nobody says anything.
const LONGEST: i64 = 43_200;
const USUAL: i64 = 3600;
/// The longest session that is made with the keys of another role's.
const CHAINED: i64 = 3600;

/// Who may assume a role is told by the policies of those who do: roles have no trust policies, so an external id has
/// nothing to be compared with.
const KNOWN: [&str; 8] = [
    "RoleArn",
    "RoleSessionName",
    "DurationSeconds",
    "Policy",
    "SourceIdentity",
    "ExternalId",
    "Tags",
    "TransitiveTagKeys",
];

/// `AssumeRole`: a session of a role.
pub(super) fn assume_role(asked: &Asked<'_>) -> Result<Elements, Fault> {
    let (fields, caller, keys) = (&asked.fields, asked.caller, asked.keys);
    fields.only("AssumeRole", &KNOWN)?;
    let arn = fields.required("RoleArn")?;
    fields.required("RoleSessionName")?;
    let name = fields.word("RoleSessionName", 2..=64, &[])?.unwrap_or_default();
    fields.word("ExternalId", 2..=1224, &[':', '/'])?;
    let source = fields.word("SourceIdentity", 2..=64, &[])?;
    let seconds = fields.seconds(LONGEST, USUAL)?;
    let has_tags = fields.has_tags()?;
    let role = role_of(asked, arn)?;

    let before = caller.session.as_deref();
    let former = match before.map(|session| &session.kind) {
        None | Some(Kind::User) => None,
        Some(Kind::Role(former)) => Some(former),
        Some(Kind::Federated { .. }) => {
            return Err(super::denied("Cannot call AssumeRole with the keys of a federated user"));
        }
    };
    if former.is_some() && seconds > CHAINED {
        return Err(wrong(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    asked.allow("sts:AssumeRole", arn)?;
    if keys.has_roles() && keys.role(role).is_none() {
        return Err(refused(asked, arn, "there is no such role; roles are the settings aws.roles.NAME"));
    }
    if has_tags {
        asked.allow("sts:TagSession", arn)?;
    }
    let inherited = former.and_then(|former| former.source.as_deref());
    let source = match (source, inherited) {
        (Some(given), Some(inherited)) if given != inherited => {
            return Err(refused(asked, arn, "the source identity of a session cannot be changed"));
        }
        (Some(given), _) => {
            asked.allow("sts:SetSourceIdentity", arn)?;
            Some(given)
        }
        (None, inherited) => inherited,
    };

    // A role may give other rights than those before, but a policy that was put on a session stays on what it makes.
    let mut policies = before.map(|session| session.policies.clone()).unwrap_or_default();
    policies.extend(fields.policy()?);
    let assumed = Kind::Role(Assumed {
        role: role.to_owned(),
        session: name.to_owned(),
        source: source.map(str::to_owned),
        configured: keys.has_roles(),
    });
    let user = Element::Group(vec![
        ("AssumedRoleId", assumed.user_id(&caller.account, caller.maker()).into()),
        ("Arn", assumed.arn(&caller.account, caller.maker()).into()),
    ]);
    let mut elements = asked.begin(assumed, policies, seconds)?;
    elements.push(("AssumedRoleUser", user));
    if let Some(source) = source {
        elements.push(("SourceIdentity", source.to_owned().into()));
    }
    Ok(elements)
}

/// What stands behind `role/` in the ARN of a role of this account. It is taken as it is, path and all: policies are
/// asked for the whole ARN.
fn role_of<'a>(asked: &Asked<'_>, arn: &'a str) -> Result<&'a str, Fault> {
    let mut parts = arn.splitn(6, ':');
    let is_iam = ["arn", "aws", "iam", ""].iter().all(|part| parts.next() == Some(*part));
    let (account, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match rest.strip_prefix("role/").filter(|role| is_iam && is_role(role) && arn.len() <= 2048) {
        None => {
            Err(wrong(format!("RoleArn must be of the form arn:aws:iam::ACCOUNT:role/NAME, not `{arn}`")))
        }
        Some(_) if account != asked.caller.account.as_str() => {
            let why = format!("this is the account {}, which knows no roles of others", asked.caller.account);
            Err(refused(asked, arn, &why))
        }
        Some(role) => Ok(role),
    }
}

/// What AWS says of roles that are not there, too, with the reason behind it.
fn refused(asked: &Asked<'_>, arn: &str, why: &str) -> Fault {
    super::denied(format!(
        "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}: {why}",
        asked.caller.arn()
    ))
}
