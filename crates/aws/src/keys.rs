//! The access keys that a door knows, the roles that may be assumed with them, and whoever has signed a request.

use crate::policy::Policy;
use crate::session::{Kind, Session};
use model::{AccountId, Error, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// An access key: its two halves and what it may do. Its `Debug` text leaves the secret out.
#[derive(Clone)]
pub struct Key {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
    /// What it may do.
    pub policy: Policy,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Key {
    /// A key that nobody knows yet, which may do everything.
    pub fn made_up() -> Result<Self> {
        let mut bytes = [0u8; 28];
        getrandom::fill(&mut bytes)
            .map_err(|e| Error::unavailable("this machine gives no random bytes").source_is(e))?;
        let (id, secret) = bytes.split_at(8);
        Ok(Self {
            id: format!("GLULAM{}", hex::encode_upper(id)),
            secret: hex::encode(secret),
            policy: Policy::everything(),
        })
    }
}

/// All access keys of a door, and its roles.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: BTreeMap<String, Arc<Key>>,
    roles: BTreeMap<String, Policy>,
}

/// Ids, and secrets, of the keys that everybody knows: those of this program and those that local AWS tools default to.
const WELL_KNOWN: [&str; 3] = ["glulam", "test", "testing"];

impl KeyRing {
    /// Takes the configured keys. Without any, the well-known ones are taken, if nobody else can reach `listens_on`.
    pub fn new(configured: Vec<Key>, listens_on: IpAddr) -> Result<Self> {
        let keys = match configured.is_empty() {
            false => configured,
            true if listens_on.is_loopback() => WELL_KNOWN
                .iter()
                .map(|word| Key {
                    id: (*word).to_owned(),
                    secret: (*word).to_owned(),
                    policy: Policy::everything(),
                })
                .collect(),
            true => {
                return Err(Error::invalid(format!(
                    "no access key is configured, but others can reach {listens_on}"
                ))
                .why("the default keys are known to everybody, so they hold on 127.0.0.1 only")
                .hint("set aws.access_key_id and aws.secret_access_key, or [aws.keys.NAME] in glulam.toml")
                .hint("or listen on 127.0.0.1"));
            }
        };
        let mut ring = BTreeMap::new();
        for key in keys {
            let fits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
            if !fits(&key.id) || key.id.contains(['/', ',']) || key.id.len() > 128 {
                return Err(Error::invalid(format!("`{}` is no id for an access key", key.id))
                    .hint("use letters, digits, hyphens and underscores"));
            }
            if !fits(&key.secret) {
                return Err(Error::invalid(format!("the access key `{}` has no usable secret", key.id))
                    .hint("use letters, digits and signs without spaces"));
            }
            ring.insert(key.id.clone(), Arc::new(key));
        }
        Ok(Self { keys: ring, roles: BTreeMap::new() })
    }

    /// The same with these roles, by what stands behind `role/` in their ARNs. With any, no others may be assumed.
    pub fn with_roles(mut self, roles: Vec<(String, Policy)>) -> Result<Self> {
        for (role, policy) in roles {
            if !is_role(&role) {
                return Err(Error::invalid(format!("`{role}` is no name of a role"))
                    .hint("use up to 64 letters, digits and _+=,.@- ; a path before it ends with a slash"));
            }
            // Sessions are called by the name alone.
            if let Some(other) = self.roles.keys().find(|other| role_name(other) == role_name(&role)) {
                return Err(Error::invalid(format!("the roles `{other}` and `{role}` have the same name")));
            }
            self.roles.insert(role, policy);
        }
        Ok(self)
    }

    /// The same with one more key.
    #[must_use]
    pub fn with(mut self, key: Key) -> Self {
        self.keys.insert(key.id.clone(), Arc::new(key));
        self
    }

    /// Whether there is a key of that id and secret, and it may do this.
    pub fn admits(&self, id: &str, secret: &str, action: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.keys.get(id).is_some_and(|key| {
            bool::from(key.secret.as_bytes().ct_eq(secret.as_bytes())) && key.policy.allows(action, "*")
        })
    }

    /// Whether the key of that id may do this (`s3:GetObject`) to that (an ARN).
    pub fn allows(&self, id: &str, action: &str, resource: &str) -> bool {
        self.keys.get(id).is_some_and(|key| key.policy.allows(action, resource))
    }

    /// The key of that id.
    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Key>> {
        self.keys.get(id)
    }

    /// The policy of a role, by what stands behind `role/` in its ARN.
    pub(crate) fn role(&self, role: &str) -> Option<&Policy> {
        self.roles.get(role)
    }

    /// Whether it is configured which roles there are.
    pub(crate) fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }
}

/// Whether a text is made of what IAM's names are made of.
pub(crate) fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// Whether it may stand behind `role/` in an ARN: a name, perhaps with a path before it.
pub(crate) fn is_role(text: &str) -> bool {
    text.split('/').all(|part| !part.is_empty() && is_word(part)) && role_name(text).len() <= 64
}

/// The name of a role without its path.
pub(crate) fn role_name(role: &str) -> &str {
    role.rsplit('/').next().unwrap_or(role)
}

/// Who has signed a request, and for which region.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The key that signed; a session's is temporary and has the rights of the session.
    pub(crate) key: Arc<Key>,
    /// The session, if the key is temporary.
    pub(crate) session: Option<Arc<Session>>,
    pub(crate) account: AccountId,
    pub(crate) region: String,
}

impl Caller {
    /// The id of the lasting access key on whose behalf is called.
    pub(crate) fn maker(&self) -> &str {
        self.session.as_ref().map_or(self.key.id.as_str(), |session| session.maker.as_str())
    }

    /// The caller's own ARN.
    pub(crate) fn arn(&self) -> String {
        match &self.session {
            Some(session) => session.kind.arn(&self.account, &session.maker),
            None => Kind::User.arn(&self.account, &self.key.id),
        }
    }

    /// What AWS calls the caller's unique id.
    pub(crate) fn user_id(&self) -> String {
        match &self.session {
            Some(session) => session.kind.user_id(&self.account, &session.maker),
            None => Kind::User.user_id(&self.account, &self.key.id),
        }
    }

    /// Whether the caller may do this to that.
    pub(crate) fn may(&self, action: &str, resource: &str) -> bool {
        self.key.policy.allows(action, resource)
    }

    /// Whether nothing is denied to the caller.
    pub(crate) fn may_all(&self) -> bool {
        self.key.policy == crate::Policy::everything()
    }

    /// The sentence that a denied caller reads.
    pub(crate) fn denial(&self, action: &str, resource: &str) -> String {
        let whose = match self.session {
            Some(_) => "the policies of this session do",
            None => "the policy of this access key does",
        };
        format!(
            "User: {} is not authorized to perform: {action} on resource: {resource}: {whose} not allow it",
            self.arn()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_keys_stay_at_home() {
        let home: IpAddr = "127.0.0.1".parse().unwrap();
        let everywhere: IpAddr = "0.0.0.0".parse().unwrap();
        let ring = KeyRing::new(Vec::new(), home).unwrap();
        assert!(ring.get("test").is_some_and(|key| key.secret == "test") && ring.get("glulam").is_some());
        let error = KeyRing::new(Vec::new(), everywhere).unwrap_err();
        assert!(error.to_string().contains("no access key"), "{error}");
        assert!(!ring.admits("test", "wrong", "any:Thing") && !ring.admits("nobody", "", "any:Thing"));
        let own = Key { id: "own".into(), secret: "s3cret".into(), policy: Policy::everything() };
        let ring = KeyRing::new(vec![own.clone()], everywhere).unwrap();
        assert!(ring.get("own").is_some() && ring.get("test").is_none());
        assert!(ring.admits("own", "s3cret", "any:Thing"));
        let limited = Key { id: "limited".into(), secret: "x".into(), policy: Policy::default() };
        assert!(!KeyRing::new(vec![limited], everywhere).unwrap().admits("limited", "x", "any:Thing"));
        assert!(!format!("{own:?}").contains("s3cret"));
        for (id, secret) in [("", "x"), ("a/b", "x"), ("a", ""), ("a", "x y")] {
            let key = Key { id: id.into(), secret: secret.into(), policy: Policy::default() };
            assert!(KeyRing::new(vec![key], home).is_err(), "{id} {secret}");
        }
    }

    #[test]
    fn roles_have_names() {
        let ring = |names: &[&str]| {
            let roles = names.iter().map(|name| ((*name).to_owned(), Policy::default())).collect();
            KeyRing::new(Vec::new(), "127.0.0.1".parse().unwrap()).unwrap().with_roles(roles)
        };
        assert!(!ring(&[]).unwrap().has_roles());
        let two = ring(&["etl", "service-role/report@night"]).unwrap();
        assert!(two.has_roles() && two.role("etl").is_some() && two.role("report@night").is_none());
        assert_eq!(role_name("service-role/report@night"), "report@night");
        for wrong in ["", "/etl", "a//b", "a/", "a b", "ä", "a:b", &"x".repeat(65)] {
            assert!(ring(&[wrong]).is_err(), "{wrong}");
        }
        let error = ring(&["etl", "night/etl"]).unwrap_err();
        assert!(error.to_string().contains("same name"), "{error}");
    }
}
