//! SCRAM-SHA-256 (RFC 5802, RFC 7677): client and server show each other that both know the secret, without sending it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How often the secret is hashed; PostgreSQL's own number.
const ROUNDS: u32 = 4096;
/// The mechanism's name.
pub(crate) const MECHANISM: &str = "SCRAM-SHA-256";

/// An exchange, after the client's first message.
pub(crate) struct Exchange {
    secret: Option<String>,
    client_first_bare: String,
    channel: String,
    server_first: String,
    nonce: String,
    salt: Vec<u8>,
}

impl Exchange {
    /// Reads the client's first message. Without a secret (there is no such user) the exchange goes on all the same and
    /// fails at its end, so that nobody learns which users there are.
    pub(crate) fn begin(client_first: &str, secret: Option<String>) -> Result<Self> {
        let channel_end = client_first
            .match_indices(',')
            .nth(1)
            .map(|(at, _)| at + 1)
            .ok_or_else(|| wrong("the first message is no SCRAM"))?;
        let (header, bare) = client_first.split_at(channel_end);
        if !header.starts_with("n,") && !header.starts_with("y,") {
            return Err(wrong("channel binding was not offered").hint("set channel_binding=disable"));
        }
        let theirs = bare
            .split(',')
            .find_map(|part| part.strip_prefix("r="))
            .filter(|nonce| !nonce.is_empty() && nonce.len() < 512)
            .ok_or_else(|| wrong("the first message has no nonce"))?;
        if bare.starts_with("m=") {
            return Err(wrong("a mandatory extension is not known"));
        }
        let mut random = [0_u8; 34];
        getrandom::fill(&mut random)
            .map_err(|e| Error::unavailable("this machine gives no random bytes").source_is(e))?;
        let (ours, salt) = random.split_at(18);
        let nonce = format!("{theirs}{}", STANDARD.encode(ours));
        let server_first = format!("r={nonce},s={},i={ROUNDS}", STANDARD.encode(salt));
        Ok(Self {
            secret,
            client_first_bare: bare.to_owned(),
            channel: STANDARD.encode(header),
            server_first,
            nonce,
            salt: salt.to_vec(),
        })
    }

    /// What the server answers to the first message.
    pub(crate) fn challenge(&self) -> &str {
        &self.server_first
    }

    /// Checks the client's final message; answers the server's own proof.
    pub(crate) fn finish(&self, client_final: &str) -> Result<String> {
        let denied = || Error::new(ErrorKind::Denied, "password authentication failed");
        let (without_proof, proof) =
            client_final.rsplit_once(",p=").ok_or_else(|| wrong("the final message has no proof"))?;
        let mut parts = without_proof.split(',');
        let channel = parts.next().and_then(|part| part.strip_prefix("c="));
        let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
        if channel != Some(&self.channel) || nonce != Some(&self.nonce) {
            return Err(wrong("the final message does not belong to the first"));
        }
        let proof = STANDARD.decode(proof).map_err(|e| wrong("the proof is not base64").source_is(e))?;
        // Who is not known takes as long to refuse as who is.
        let salted = salted(self.secret.as_deref().unwrap_or_default().as_bytes(), &self.salt)?;
        let client_key = mac(&salted, b"Client Key")?;
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        let message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let signature = mac(&stored_key, message.as_bytes())?;
        let expected: Vec<u8> = client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
        if !bool::from(expected.as_slice().ct_eq(&proof)) || self.secret.is_none() {
            return Err(denied());
        }
        let server_key = mac(&salted, b"Server Key")?;
        Ok(format!("v={}", STANDARD.encode(mac(&server_key, message.as_bytes())?)))
    }
}

fn mac(key: &[u8], message: &[u8]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|e| Error::internal("a key does not fit").source_is(e))?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

/// PBKDF2 with one block.
fn salted(secret: &[u8], salt: &[u8]) -> Result<[u8; 32]> {
    let mut last = mac(secret, &[salt, &[0, 0, 0, 1]].concat())?;
    let mut all = last;
    for _ in 1..ROUNDS {
        last = mac(secret, &last)?;
        all.iter_mut().zip(last).for_each(|(byte, more)| *byte ^= more);
    }
    Ok(all)
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::PreconditionFailed, format!("authentication: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    fn example(secret: &str) -> Exchange {
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        Exchange {
            secret: Some(secret.to_owned()),
            client_first_bare: "n=user,r=rOprNGfwEbeRWgbNEkqO".into(),
            channel: STANDARD.encode("n,,"),
            server_first: format!("r={nonce},s={},i=4096", STANDARD.encode(&salt)),
            nonce: nonce.into(),
            salt,
        }
    }

    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_example_of_the_standard() {
        let proof = example("pencil").finish(FINAL).unwrap();
        assert_eq!(proof, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(example("pen").finish(FINAL).unwrap_err().kind(), ErrorKind::Denied);
        let nobody = Exchange { secret: None, ..example("") };
        assert_eq!(nobody.finish(FINAL).unwrap_err().kind(), ErrorKind::Denied);
    }

    #[test]
    fn what_is_no_scram_is_refused() {
        for first in ["", "n,,", "n,,n=u", "n,,n=u,r=", "p=tls-server-end-point,,n=u,r=x", "n,,m=x,r=y"] {
            assert!(Exchange::begin(first, None).is_err(), "{first}");
        }
        for last in ["", "c=biws,r=x,p=AAAA", "c=biws,p=AAAA", "c=eSws,r=rOprNGfwEbeRWgbNEkqO,p=AAAA"] {
            assert_eq!(example("pencil").finish(last).unwrap_err().kind(), ErrorKind::PreconditionFailed);
        }
        let exchange = Exchange::begin("n,,n=u,r=abc", None).unwrap();
        assert!(exchange.challenge().starts_with("r=abc"));
    }
}
