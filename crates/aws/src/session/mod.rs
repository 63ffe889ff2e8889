//! Temporary keys. No list of them is kept: the session token says whose they are and what they may do, and an HMAC under
//! the secret of the lasting key that made them vouches for it. So they survive a restart, hold at every server that has
//! the same key, and end with it.

use crate::keys::{Caller, Key, KeyRing, role_name};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::signature::{Claim, hmac_sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use model::{AccountId, Error};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// What the ids of temporary keys begin with, as at AWS.
const PREFIX: &str = "ASIA";
/// The first byte of a token: how the rest is to be read.
const VERSION: u8 = 1;
/// How many random bytes make a session differ from all others.
const SEED: usize = 16;
const MAC: usize = 32;

/// What keys are derived for. No other text is hashed with them.
const FOR_TOKENS: &[u8] = b"session token, version 1";
const FOR_SECRETS: &[u8] = b"secret of a temporary key, version 1";

/// Who a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Whoever made it.
    User,
    /// Somebody for whom the maker answers.
    Federated { name: String },
    /// A role that was assumed.
    Role(Assumed),
}

/// A role, and who is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assumed {
    /// What stands behind `role/` in the role's ARN.
    pub(crate) role: String,
    /// What the one who assumed it calls the session.
    pub(crate) session: String,
    /// Who that is, as a text that stays when further roles are assumed.
    pub(crate) source: Option<String>,
    /// Whether it has the rights that are configured for the role, and not those of the key that made it. Told by the token,
    /// so that a session's rights do not become others when the first role is configured.
    pub(crate) configured: bool,
}

/// What a session token says. Its `Debug` text leaves the token out.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The id of the lasting key that made it.
    pub(crate) maker: String,
    pub(crate) kind: Kind,
    /// Policies, all of which must allow what is done, beside that of the key or role.
    pub(crate) policies: Vec<String>,
    /// When it is over, in seconds since 1970.
    pub(crate) expires: i64,
    /// The token itself, as the caller has sent it.
    #[serde(skip)]
    pub(crate) token: String,
}

/// The three parts of a temporary key.
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("maker", &self.maker)
            .field("kind", &self.kind)
            .field("policies", &self.policies)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Kind {
    /// The ARN of a session that this key has made.
    pub(crate) fn arn(&self, account: &AccountId, maker: &str) -> String {
        match self {
            Self::User => format!("arn:aws:iam::{account}:user/{maker}"),
            Self::Federated { name } => format!("arn:aws:sts::{account}:federated-user/{name}"),
            Self::Role(Assumed { role, session, .. }) => {
                format!("arn:aws:sts::{account}:assumed-role/{}/{session}", role_name(role))
            }
        }
    }

    /// The same for what AWS calls the unique id.
    pub(crate) fn user_id(&self, account: &AccountId, maker: &str) -> String {
        match self {
            Self::User => maker.to_owned(),
            Self::Federated { name } => format!("{account}:{name}"),
            Self::Role(Assumed { role, session, .. }) => {
                // A role's id is not kept anywhere: it is made of the role's name, so that it stays the same.
                let hash = hmac_sha256(b"id of a role", format!("{account}/{role}").as_bytes());
                format!("AROA{}:{session}", base32(&hash[..11]))
            }
        }
    }
}

impl Session {
    /// A new key for this session, of the lasting key that it names.
    pub(crate) fn credentials(&self, maker: &Key) -> model::Result<Credentials> {
        let mut seed = [0_u8; SEED];
        getrandom::fill(&mut seed)
            .map_err(|e| Error::unavailable("this machine gives no random bytes").source_is(e))?;
        let mut said = seed.to_vec();
        serde_json::to_writer(&mut said, self)
            .map_err(|e| Error::internal("a session cannot be written").source_is(e))?;
        let mac = mac(maker, &said);
        let token = STANDARD.encode([[VERSION].as_slice(), mac.as_slice(), said.as_slice()].concat());
        Ok(Credentials { id: key_id(&seed), secret: secret(maker, &seed), token })
    }

    /// What a token says of the temporary key of that id: its rights and its secret.
    fn open(keys: &KeyRing, id: &str, token: &str, now: DateTime<Utc>) -> Result<(Key, Self), Refusal> {
        let wrong = || {
            Refusal::WrongToken(format!(
                "The security token included in the request is invalid: it does not belong to `{id}`, or the access key \
                 that made it is gone or has another secret"
            ))
        };
        let bytes = STANDARD.decode(token).map_err(|_| wrong())?;
        let Some((&[VERSION], sealed)) = bytes.split_first_chunk::<1>() else { return Err(wrong()) };
        let Some((given, said)) = sealed.split_first_chunk::<MAC>() else { return Err(wrong()) };
        let Some((seed, text)) = said.split_first_chunk::<SEED>() else { return Err(wrong()) };
        let mut session: Self = serde_json::from_slice(text).map_err(|_| wrong())?;
        let maker = keys.get(&session.maker).ok_or_else(wrong)?;
        // Nothing of the token but the name of its maker is believed before this.
        if !bool::from(mac(maker, said).as_slice().ct_eq(given.as_slice())) || key_id(seed) != id {
            return Err(wrong());
        }
        if now.timestamp() >= session.expires {
            let at = DateTime::from_timestamp(session.expires, 0).unwrap_or(now);
            return Err(Refusal::SessionOver { at, server: now });
        }
        let policy = session.rights(keys, maker)?;
        token.clone_into(&mut session.token);
        Ok((Key { id: id.to_owned(), secret: secret(maker, seed), policy }, session))
    }

    /// What the session may do, by the configuration of now.
    fn rights(&self, keys: &KeyRing, maker: &Key) -> Result<Policy, Refusal> {
        let mut rights = match &self.kind {
            Kind::Role(Assumed { role, configured: true, .. }) => {
                let policy = keys.role(role);
                policy.ok_or_else(|| {
                    Refusal::WrongToken(format!("the role `{role}` is not configured any more"))
                })?
            }
            _ => &maker.policy,
        }
        .clone();
        for text in &self.policies {
            let policy = Policy::parse(text).map_err(|error| {
                Refusal::WrongToken(format!("the policy of this session is not understood here: {error}"))
            })?;
            rights = policy.within(&rights);
        }
        Ok(rights)
    }
}

/// Who claims to have signed a request. The signature remains to be verified, with the caller's key.
pub(crate) fn caller(
    keys: &KeyRing,
    claim: &Claim,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<Caller, Refusal> {
    let id = &claim.scope.key;
    let (key, session) = match (keys.get(id), &claim.token) {
        // Many set-ups for local work name some session token beside a lasting key; the key's secret proves enough.
        (Some(key), _) => (Arc::clone(key), None),
        (None, Some(token)) if id.starts_with(PREFIX) => {
            let (key, session) = Session::open(keys, id, token, now)?;
            (Arc::new(key), Some(Arc::new(session)))
        }
        (None, None) if id.starts_with(PREFIX) => return Err(Refusal::MissingToken(id.clone())),
        (None, _) => return Err(Refusal::UnknownKey(id.clone())),
    };
    Ok(Caller { key, session, account: account.clone(), region: claim.scope.region.clone() })
}

/// A key for one purpose. Signatures of requests are made with others (`AWS4…`), so none of them is a token.
fn derived(maker: &Key, purpose: &[u8]) -> [u8; 32] {
    hmac_sha256(format!("GLULAM{}", maker.secret).as_bytes(), purpose)
}

fn mac(maker: &Key, said: &[u8]) -> [u8; MAC] {
    hmac_sha256(&derived(maker, FOR_TOKENS), said)
}

fn key_id(seed: &[u8; SEED]) -> String {
    format!("{PREFIX}{}", base32(&seed[..10]))
}

/// Forty characters, as AWS's secrets have them.
fn secret(maker: &Key, seed: &[u8; SEED]) -> String {
    STANDARD.encode(&hmac_sha256(&derived(maker, FOR_SECRETS), seed)[..30])
}

/// Five bits as a letter or digit each; what is left over is dropped.
fn base32(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut out, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(SIGNS[(held >> bits) as usize % SIGNS.len()]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
