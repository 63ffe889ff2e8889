//! Who may do what: the part of IAM's policy language that names actions and resources. What it does not understand it
//! refuses by name, so that a policy never allows more than it says.

use model::{Error, Result};
use serde_json::{Map, Value};

/// An IAM policy: statements of effect, actions and resources. What no statement allows is denied; a denial wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
    /// What must allow it as well: a session's policy takes away from the rights it was made with.
    outer: Option<Box<Policy>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    allow: bool,
    actions: Match,
    resources: Match,
}

/// A list of patterns that must, or must not, fit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Match {
    patterns: Vec<String>,
    negated: bool,
}

const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

impl Policy {
    /// Allows everything.
    pub fn everything() -> Self {
        let any = || Match { patterns: vec!["*".to_owned()], negated: false };
        Self { statements: vec![Statement { allow: true, actions: any(), resources: any() }], outer: None }
    }

    /// Reads a policy document in IAM's JSON.
    pub fn parse(text: &str) -> Result<Self> {
        let document: Value = serde_json::from_str(text).map_err(|e| {
            Error::invalid(format!("the policy is no JSON: {e}"))
                .hint("write {\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", …}]}")
        })?;
        let Value::Object(document) = document else {
            return Err(Error::invalid("a policy is a JSON object with Version and Statement"));
        };
        only(&document, "the policy", &["Version", "Id", "Statement"])?;
        if let Some(version) = document.get("Version") {
            let known = version.as_str().is_some_and(|version| VERSIONS.contains(&version));
            if !known {
                return Err(Error::invalid(format!("there is no policy version {version}"))
                    .hint("write \"2012-10-17\""));
            }
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(single @ Value::Object(_)) => vec![single],
            _ => return Err(Error::invalid("the policy has no Statement")),
        };
        let statements = statements
            .into_iter()
            .enumerate()
            .map(|(at, value)| statement(at + 1, value))
            .collect::<Result<_>>()?;
        Ok(Self { statements, outer: None })
    }

    /// What both this policy and that one allow.
    #[must_use]
    pub(crate) fn within(mut self, outer: &Self) -> Self {
        // Whoever may do everything must be known for it, so nothing is noted that takes nothing away.
        if *outer == Self::everything() {
            return self;
        }
        if self == Self::everything() {
            return outer.clone();
        }
        self.outer = Some(Box::new(match self.outer.take() {
            Some(mine) => mine.within(outer),
            None => outer.clone(),
        }));
        self
    }

    /// Whether the action (`s3:GetObject`) on the resource (an ARN) is allowed. An ARN that ends with `*` stands for all
    /// that begin so: all of them must be allowed, and none denied. `*` alone is an action's that has no resource.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.states(action, resource)
            && self.outer.as_ref().is_none_or(|outer| outer.allows(action, resource))
    }

    /// Whether its own statements allow it.
    fn states(&self, action: &str, resource: &str) -> bool {
        let (mut allowed, resource) = (false, &regionless(resource));
        let prefix = resource.strip_suffix('*').filter(|prefix| !prefix.is_empty());
        for statement in self.statements.iter().filter(|statement| statement.actions.fits(action, true)) {
            let (some, all) = match prefix {
                Some(prefix) => statement.resources.fits_below(prefix),
                None => {
                    let fits = statement.resources.fits(resource, false);
                    (fits, fits)
                }
            };
            if some && !statement.allow {
                return false;
            }
            allowed |= all && statement.allow;
        }
        allowed
    }
}

/// An ARN, or a pattern of one, without its region. There is one region here, by whatever name requests call it; a denial
/// must not depend on that name.
pub(crate) fn regionless(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [arn, partition, service, _, account, rest] => {
            format!("{arn}:{partition}:{service}::{account}:{rest}")
        }
        _ => arn.to_owned(),
    }
}

impl Match {
    fn fits(&self, text: &str, fold: bool) -> bool {
        self.patterns.iter().any(|pattern| glob(pattern.as_bytes(), text.as_bytes(), fold)) != self.negated
    }

    /// Whether it fits some, and whether it fits all, of the texts that begin so.
    fn fits_below(&self, prefix: &str) -> (bool, bool) {
        let prefix = prefix.as_bytes();
        let patterns = || self.patterns.iter().map(String::as_bytes);
        let all = patterns().any(|pattern| pattern.ends_with(b"*") && glob(pattern, prefix, false));
        // What is left of a pattern behind the prefix fits something.
        let some =
            patterns().any(|pattern| (0..=pattern.len()).any(|end| glob(&pattern[..end], prefix, false)));
        if self.negated { (!all, !some) } else { (some, all) }
    }
}

fn statement(number: usize, value: &Value) -> Result<Statement> {
    let of = format!("statement {number} of the policy");
    let Value::Object(value) = value else {
        return Err(Error::invalid(format!("{of} is no JSON object")));
    };
    only(value, &of, &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"])?;
    let allow = match value.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(Error::invalid(format!("{of} has no Effect")).hint("write Allow or Deny")),
    };
    let actions = either(value, &of, "Action", "NotAction")?;
    for action in &actions.patterns {
        if action != "*" && !action.contains(':') {
            return Err(Error::invalid(format!("{of} has an action `{action}` without a service"))
                .hint("write SERVICE:ACTION, such as s3:GetObject or s3:*"));
        }
    }
    let mut resources = either(value, &of, "Resource", "NotResource")?;
    for resource in &resources.patterns {
        if resource != "*" && !resource.starts_with("arn:") {
            return Err(Error::invalid(format!("{of} has a resource `{resource}` that is no ARN"))
                .hint("write an ARN such as arn:aws:s3:::my-bucket/*, or *"));
        }
    }
    resources.patterns.iter_mut().for_each(|pattern| *pattern = regionless(pattern));
    Ok(Statement { allow, actions, resources })
}

/// Refuses members that this reading does not know: to ignore one could allow too much.
fn only(value: &Map<String, Value>, of: &str, known: &[&str]) -> Result<()> {
    match value.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(Error::unsupported(format!("{of} has `{key}`, which is not supported here"))
            .hint(format!("what is supported: {}", known.join(", ")))),
    }
}

fn either(value: &Map<String, Value>, of: &str, plain: &str, negated: &str) -> Result<Match> {
    let (list, is_negated) = match (value.get(plain), value.get(negated)) {
        (Some(list), None) => (list, false),
        (None, Some(list)) => (list, true),
        (Some(_), Some(_)) => return Err(Error::invalid(format!("{of} has both {plain} and {negated}"))),
        (None, None) => return Err(Error::invalid(format!("{of} has neither {plain} nor {negated}"))),
    };
    let texts: Option<Vec<String>> = match list {
        Value::String(single) => Some(vec![single.clone()]),
        Value::Array(list) => list.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    match texts {
        Some(patterns) if !patterns.is_empty() => {
            if let Some(pattern) = patterns.iter().find(|pattern| pattern.contains("${")) {
                return Err(Error::unsupported(format!(
                    "{of} has a policy variable in `{pattern}`, which is not supported here"
                )));
            }
            Ok(Match { patterns, negated: is_negated })
        }
        _ => Err(Error::invalid(format!("the {plain} of {of} must be a text or a list of texts"))),
    }
}

/// `*` stands for any text, `?` for one character. Linear in the text for each `*`.
fn glob(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let same = |a: u8, b: u8| if fold { a.eq_ignore_ascii_case(&b) } else { a == b };
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(b'?') => {
                // One character, which may be several bytes.
                p += 1;
                t += 1;
                while t < text.len() && text[t] & 0xC0 == 0x80 {
                    t += 1;
                }
            }
            Some(byte) if same(*byte, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:get*", "S3:GetObject", true),
            ("s3:Get?bject", "s3:GetObject", true),
            ("a?c", "aäc", true),
            ("a?c", "ac", false),
            ("*a*b*c", "xxaxxbxxbxxc", true),
            ("*a*b*c", "xxaxxbxxbxx", false),
            ("", "a", false),
            ("a**", "a", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes(), true), fits, "{pattern} {text}");
        }
        let hostile = "*a".repeat(200);
        assert!(!glob(hostile.as_bytes(), "a".repeat(150).as_bytes(), false));
    }

    #[test]
    fn what_is_allowed() {
        let policy = Policy::parse(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket"], "Resource": ["arn:aws:s3:::raw", "arn:aws:s3:::raw/*"]},
                {"Effect": "Allow", "NotAction": ["s3:*", "iam:*"], "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::raw*"},
                {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::raw/secret/*"}
            ]}"#,
        )
        .unwrap();
        for (action, resource, allowed) in [
            ("s3:GetObject", "arn:aws:s3:::raw/a/b", true),
            ("S3:getobject", "arn:aws:s3:::raw/a/b", true),
            ("s3:GetObject", "arn:aws:s3:::RAW/a/b", false),
            ("s3:GetObject", "arn:aws:s3:::raw/secret/b", false),
            ("s3:GetObject", "arn:aws:s3:::other/b", false),
            ("s3:PutObject", "arn:aws:s3:::raw/a", false),
            ("s3:ListBucket", "arn:aws:s3:::raw", true),
            ("glue:GetTable", "arn:aws:glue:eu-central-1:123456789012:catalog", true),
            ("iam:GetRole", "*", false),
        ] {
            assert_eq!(policy.allows(action, resource), allowed, "{action} {resource}");
        }
        assert!(Policy::everything().allows("any:Thing", "arn:x"));
        assert!(!Policy::default().allows("s3:GetObject", "*"));
        let denied = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:glue:us-east-1:123456789012:table/d/t"}]}"#;
        let denied = Policy::parse(denied).unwrap();
        for region in ["us-east-1", "eu-west-1", ""] {
            assert!(
                !denied.allows("glue:GetTable", &format!("arn:aws:glue:{region}:123456789012:table/d/t"))
            );
        }
        for (action, resource, allowed) in [
            ("s3:GetObject", "arn:aws:s3:::raw/open/*", true),
            ("s3:GetObject", "arn:aws:s3:::raw/*", false),
            ("s3:GetObject", "arn:aws:s3:::raw/s*", false),
            ("s3:GetObject", "arn:aws:s3:::raw/secret/a/*", false),
            ("s3:GetObject", "arn:aws:s3:::*", false),
            ("s3:GetObjectTagging", "arn:aws:s3:::raw/*", true),
            ("s3:GetObjectTagging", "arn:aws:s3:::ra*", false),
            ("glue:GetTable", "arn:aws:glue:eu-central-1:123456789012:table/d/*", true),
        ] {
            assert_eq!(policy.allows(action, resource), allowed, "{action} {resource}");
        }
        let one = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::raw/?"},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::raw/secret"}]}"#;
        let one = Policy::parse(one).unwrap();
        assert!(one.allows("s3:GetObject", "arn:aws:s3:::raw/a"));
        assert!(!one.allows("s3:GetObject", "arn:aws:s3:::raw/*"));
        let single = Policy::parse(r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#);
        assert_eq!(single.unwrap(), Policy::everything());
    }

    #[test]
    fn both_policies_must_allow() {
        let policy = |action: &str, resource: &str| {
            Policy::parse(&format!(
                r#"{{"Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}]}}"#
            ))
            .unwrap()
        };
        let (reading, raw) = (policy("s3:Get*", "*"), policy("s3:*", "arn:aws:s3:::raw/*"));
        for both in [reading.clone().within(&raw), raw.clone().within(&reading)] {
            assert!(both.allows("s3:GetObject", "arn:aws:s3:::raw/a"));
            assert!(both.allows("s3:GetObject", "arn:aws:s3:::raw/*"));
            assert!(!both.allows("s3:PutObject", "arn:aws:s3:::raw/a"));
            assert!(!both.allows("s3:GetObject", "arn:aws:s3:::other/a"));
            let three = both.within(&policy("s3:*", "arn:aws:s3:::raw/a/*"));
            assert!(three.allows("s3:GetObject", "arn:aws:s3:::raw/a/b"));
            assert!(!three.allows("s3:GetObject", "arn:aws:s3:::raw/b"));
            assert!(!three.allows("s3:PutObject", "arn:aws:s3:::raw/a/b"));
        }
        assert_eq!(raw.clone().within(&Policy::everything()), raw);
        assert_eq!(Policy::everything().within(&raw), raw);
        assert_eq!(Policy::everything().within(&Policy::everything()), Policy::everything());
        assert!(!Policy::everything().within(&Policy::default()).allows("s3:GetObject", "*"));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let with = |member: &str| {
            format!(
                r#"{{"Statement": [{{"Effect": "Allow", "Action": "s3:*", "Resource": "*", {member}}}]}}"#
            )
        };
        for (text, part) in [
            (with(r#""Condition": {"StringEquals": {"a": "b"}}"#), "Condition"),
            (with(r#""Principal": "*""#), "Principal"),
            (with(r#""NotAction": "s3:*""#), "both"),
            (r#"{"Version": "2020-01-01", "Statement": []}"#.to_owned(), "2020-01-01"),
            (r#"{"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]}"#.to_owned(), "Effect"),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "*"}]}"#.to_owned(), "Resource"),
            (r#"{"Statement": [{"Effect": "Allow", "Action": [], "Resource": "*"}]}"#.to_owned(), "Action"),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "Get", "Resource": "*"}]}"#.to_owned(), "`Get`"),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "raw/*"}]}"#.to_owned(), "raw/*"),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}]}"#.to_owned(), "variable"),
            ("[]".to_owned(), "object"),
            ("{".to_owned(), "no JSON"),
        ] {
            let error = Policy::parse(&text).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}
