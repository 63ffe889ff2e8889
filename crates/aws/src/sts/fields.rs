//! What a request of STS says, checked as STS checks it. What would have no effect here is refused by its name.

use crate::fault::{Fault, sentence};
use crate::keys::is_word;
use crate::policy::Policy;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The shortest session, in seconds.
const SHORTEST: i64 = 900;
/// How many characters a session's policy may have.
const MAX_POLICY: usize = 2048;
/// How many tags a session may have.
const MAX_TAGS: usize = 50;

/// A mistake in a request.
pub(super) fn wrong(message: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", message)
}

/// The fields of the form. An empty one counts as none: so clients write lists without members.
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(super) fn new(fields: BTreeMap<String, String>) -> Self {
        Self(fields)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| wrong(format!("{name} is missing")))
    }

    /// Refuses all but these fields, and those by which a URL is signed. The name of a list stands for its members.
    pub(super) fn only(&self, action: &str, known: &[&str]) -> Result<(), Fault> {
        for (name, value) in &self.0 {
            let list = name.split('.').next().unwrap_or(name);
            let is_known =
                matches!(list, "Action" | "Version") || list.starts_with("X-Amz-") || known.contains(&list);
            if !is_known && !value.is_empty() {
                let why = match list {
                    "PolicyArns" => "there are no managed policies here; write the policy itself into Policy",
                    "SerialNumber" | "TokenCode" => "there are no MFA devices here",
                    _ => "it would have no effect",
                };
                return Err(wrong(format!("{list} is not supported in {action}: {why}")));
            }
        }
        Ok(())
    }

    /// A text of the signs of IAM's names, and perhaps `more` of them.
    pub(super) fn word(
        &self,
        name: &str,
        length: RangeInclusive<usize>,
        more: &[char],
    ) -> Result<Option<&str>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match is_word(&text.replace(more, "")) && length.contains(&text.len()) {
            true => Ok(Some(text)),
            false => Err(wrong(format!(
                "{name} must have {} to {} characters, which are letters, digits and _+=,.@-{}",
                length.start(),
                length.end(),
                more.iter().collect::<String>()
            ))),
        }
    }

    /// For how many seconds a session shall hold.
    pub(super) fn seconds(&self, longest: i64, usual: i64) -> Result<i64, Fault> {
        let Some(text) = self.get("DurationSeconds") else { return Ok(usual) };
        let seconds = text.parse::<i64>().ok().filter(|seconds| (SHORTEST..=longest).contains(seconds));
        seconds.ok_or_else(|| {
            wrong(format!(
                "DurationSeconds must be a whole number from {SHORTEST} to {longest}, not `{text}`"
            ))
        })
    }

    /// The policy of a session, which was understood.
    pub(super) fn policy(&self) -> Result<Option<String>, Fault> {
        let Some(text) = self.get("Policy") else { return Ok(None) };
        if text.chars().count() > MAX_POLICY {
            return Err(wrong(format!("Policy must have at most {MAX_POLICY} characters")));
        }
        match Policy::parse(text) {
            Ok(_) => Ok(Some(text.to_owned())),
            Err(error) => Err(Fault::bad("MalformedPolicyDocument", sentence(&error))),
        }
    }

    /// Whether the session shall have tags. No policy here asks for them, so they are checked and let go.
    pub(super) fn has_tags(&self) -> Result<bool, Fault> {
        let keys: Vec<&str> =
            (1..=MAX_TAGS + 1).map_while(|number| self.get(&format!("Tags.member.{number}.Key"))).collect();
        if keys.len() > MAX_TAGS {
            return Err(wrong(format!("a session has at most {MAX_TAGS} tags")));
        }
        match keys.iter().find(|key| key.chars().count() > 128) {
            Some(key) => Err(wrong(format!("the key of a tag has at most 128 characters, unlike `{key}`"))),
            None => Ok(!keys.is_empty()),
        }
    }
}
