//! The names of groups and streams, how requests name them, and what a policy is asked about.

use crate::json::Call;
use model::{Error, Result};

/// The longest name.
const LONGEST: usize = 512;

/// Whether a group may have this name. `member` is the request's.
pub(super) fn check_group(member: &str, name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    if (1..=LONGEST).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    Err(Error::invalid(format!("{member} is no name of a log group"))
        .hint(format!("a name has 1 to {LONGEST} letters, digits and signs of `._-/#`")))
}

/// Whether a stream may have this name.
pub(super) fn check_stream(member: &str, name: &str) -> Result<()> {
    if (1..=LONGEST).contains(&name.chars().count()) && !name.contains([':', '*', '\0']) {
        return Ok(());
    }
    Err(Error::invalid(format!("{member} is no name of a log stream"))
        .hint(format!("a name has 1 to {LONGEST} characters, none of them `:` or `*`")))
}

/// The account and the name in an ARN of a group, which may end with `:*`.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (start, _, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let name = rest.strip_prefix("log-group:").filter(|_| start == "arn" && service == "logs")?;
    Some((account, name.strip_suffix(":*").unwrap_or(name)))
}

/// The group that an ARN names.
pub(super) fn of_arn<'a>(call: &Call, arn: &'a str) -> Result<&'a str> {
    match parts(arn) {
        Some((account, name)) if account == call.caller.account.as_str() => Ok(name),
        Some((account, _)) => Err(Error::not_found("The specified log group does not exist.")
            .why(format!("this is the account {}, not {account}", call.caller.account))),
        None => Err(Error::invalid("this is no ARN of a log group")
            .hint("write arn:aws:logs:REGION:ACCOUNT:log-group:NAME")),
    }
}

/// The group that a request names: by name, or by what may be its name or its ARN.
pub(super) fn named(call: &Call, name: Option<&str>, identifier: Option<&str>) -> Result<String> {
    let name = match (name, identifier) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid("logGroupName and logGroupIdentifier exclude each other"));
        }
        (None, None) => return Err(Error::invalid("logGroupName is missing")),
        (None, Some(arn)) if arn.starts_with("arn:") => of_arn(call, arn)?,
        (Some(name), None) | (None, Some(name)) => name.strip_suffix(":*").unwrap_or(name),
    };
    check_group("logGroupName", name)?;
    Ok(name.to_owned())
}

/// The same, as a policy knows it.
fn asked<'a>(name: Option<&'a str>, identifier: Option<&'a str>) -> &'a str {
    match (name, identifier) {
        (None, Some(arn)) if arn.starts_with("arn:") => parts(arn).map_or("*", |(_, name)| name),
        (Some(name), _) | (None, Some(name)) => name.strip_suffix(":*").unwrap_or(name),
        (None, None) => "*",
    }
}

/// A group with all that is in it, for a policy.
pub(super) fn whole(name: Option<&str>, identifier: Option<&str>) -> Vec<String> {
    vec![format!("log-group:{}:*", asked(name, identifier))]
}

/// A group itself, for a policy: as CloudWatch asks for it, a stream without a name.
pub(super) fn itself(name: &str) -> Vec<String> {
    one_stream(Some(name), None, "")
}

/// A stream, for a policy.
pub(super) fn one_stream(name: Option<&str>, identifier: Option<&str>, stream: &str) -> Vec<String> {
    vec![format!("log-group:{}:log-stream:{stream}", asked(name, identifier))]
}

/// A group without what is in it, for a policy: the one that an ARN names.
pub(super) fn by_arn(arn: &str) -> Vec<String> {
    vec![format!("log-group:{}", parts(arn).map_or("*", |(_, name)| name))]
}

/// A group's ARN as the caller writes it.
pub(super) fn group_arn(call: &Call, name: &str) -> String {
    call.arn("logs", &format!("log-group:{name}"))
}

/// A stream's.
pub(super) fn stream_arn(call: &Call, group: &str, stream: &str) -> String {
    call.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, fits) in [
            ("/app/web-1_x.y#z", true),
            ("a", true),
            ("", false),
            ("a b", false),
            ("a:b", false),
            ("ä", false),
            ("a*", false),
        ] {
            assert_eq!(check_group("logGroupName", name).is_ok(), fits, "{name}");
        }
        assert!(check_group("logGroupName", &"a".repeat(512)).is_ok());
        assert!(check_group("logGroupName", &"a".repeat(513)).is_err());
        for (name, fits) in
            [("2026/05/05/[$LATEST]ä b", true), ("", false), ("a:b", false), ("a*", false), ("a\0", false)]
        {
            assert_eq!(check_stream("logStreamName", name).is_ok(), fits, "{name}");
        }
        assert!(check_stream("logStreamName", &"ä".repeat(512)).is_ok());
        assert!(check_stream("logStreamName", &"ä".repeat(513)).is_err());
    }

    #[test]
    fn arns() {
        let own = "arn:aws:logs:eu-central-1:123456789012:log-group:/app/x";
        for (arn, found) in [
            (own.to_owned(), Some(("123456789012", "/app/x"))),
            (format!("{own}:*"), Some(("123456789012", "/app/x"))),
            ("arn:aws:logs:eu-central-1:123456789012:destination:d".to_owned(), None),
            ("arn:aws:s3:::raw".to_owned(), None),
            ("arn:aws:logs:log-group:1:log-group:x:log-group:y".to_owned(), Some(("1", "x:log-group:y"))),
        ] {
            assert_eq!(parts(&arn), found, "{arn}");
        }
        // The policy is asked about the very group that is then taken.
        assert_eq!(whole(None, Some(own)), ["log-group:/app/x:*"]);
        assert_eq!(whole(Some("/app/x:*"), None), ["log-group:/app/x:*"]);
        assert_eq!(whole(None, None), ["log-group:*:*"]);
        assert_eq!(one_stream(Some("g"), None, "s"), ["log-group:g:log-stream:s"]);
        assert_eq!(itself("g"), ["log-group:g:log-stream:"]);
        assert_eq!(by_arn(&format!("{own}:*")), ["log-group:/app/x"]);
    }
}
