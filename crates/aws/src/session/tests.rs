//! Tokens that hold, tokens that were tampered with, and what sessions may do.

use super::*;

const RAW: &str = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::raw/*"}}"#;
const READ: &str = r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;

fn key(secret: &str, policy: Policy) -> Key {
    Key { id: "ada".into(), secret: secret.into(), policy }
}

fn ring(key: Key) -> KeyRing {
    KeyRing::new(vec![key], "127.0.0.1".parse().unwrap()).unwrap()
}

fn admin() -> Key {
    key("s3cret", Policy::everything())
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn session(kind: Kind, policies: &[&str]) -> Session {
    let policies = policies.iter().map(|text| (*text).to_owned()).collect();
    Session { maker: "ada".into(), kind, policies, expires: 2000, token: String::new() }
}

fn role(configured: bool) -> Kind {
    Kind::Role(Assumed {
        role: "night/etl".into(),
        session: "one".into(),
        source: Some("ada@home".into()),
        configured,
    })
}

/// What a session may do whose key and role are these now.
fn rights(keys: &KeyRing, session: &Session) -> Result<Policy, Refusal> {
    let made = session.credentials(&admin()).unwrap();
    Session::open(keys, &made.id, &made.token, at(1000)).map(|(key, _)| key.policy)
}

#[test]
fn a_token_says_what_was_written_into_it() {
    let account = AccountId::new("123456789012").unwrap();
    let federated = Kind::Federated { name: "Bob".into() };
    for (kind, arn, user_id) in [
        (Kind::User, "arn:aws:iam::123456789012:user/ada", "ada"),
        (federated, "arn:aws:sts::123456789012:federated-user/Bob", "123456789012:Bob"),
        (role(false), "arn:aws:sts::123456789012:assumed-role/etl/one", ":one"),
    ] {
        let written = session(kind, &[RAW, READ]);
        let made = written.credentials(&admin()).unwrap();
        assert!(made.id.len() == 20 && made.id.starts_with("ASIA"), "{}", made.id);
        assert_eq!(made.secret.len(), 40);
        let (key, read) = Session::open(&ring(admin()), &made.id, &made.token, at(1999)).unwrap();
        assert_eq!((key.id, key.secret), (made.id, made.secret));
        assert_eq!(
            (&read.maker, &read.kind, &read.policies),
            (&written.maker, &written.kind, &written.policies)
        );
        assert_eq!((read.expires, &read.token), (2000, &made.token));
        assert_eq!(read.kind.arn(&account, &read.maker), arn);
        let found = read.kind.user_id(&account, &read.maker);
        assert!(found.ends_with(user_id) && read.kind.user_id(&account, &read.maker) == found, "{found}");
        assert!(!format!("{read:?}").contains(&made.token));
    }
    let id = role(true).user_id(&account, "ada");
    assert!(id.starts_with("AROA") && id.len() == 21 + ":one".len(), "{id}");
    let (one, two) = (session(Kind::User, &[]), session(Kind::User, &[]));
    let (one, two) = (one.credentials(&admin()).unwrap(), two.credentials(&admin()).unwrap());
    assert!(one.id != two.id && one.secret != two.secret, "no two sessions share a key");
    assert!(Session::open(&ring(admin()), &one.id, &two.token, at(1000)).is_err());
}

#[test]
fn a_changed_token_is_refused() {
    let made = session(role(false), &[RAW]).credentials(&admin()).unwrap();
    let keys = ring(admin());
    let open = |token: &str| Session::open(&keys, &made.id, token, at(1000));
    assert!(open(&made.token).is_ok());
    let bytes = STANDARD.decode(&made.token).unwrap();
    for place in 0..bytes.len() {
        for change in [1, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= change;
            assert!(matches!(open(&STANDARD.encode(changed)), Err(Refusal::WrongToken(_))), "{place}");
        }
        assert!(matches!(open(&STANDARD.encode(&bytes[..place])), Err(Refusal::WrongToken(_))), "{place}");
    }
    for place in 0..made.token.len() {
        let mut changed = made.token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(matches!(open(&changed), Err(Refusal::WrongToken(_))), "{place}");
    }
    let more = STANDARD.encode([bytes.as_slice(), b" "].concat());
    for wrong in ["", "test", "ä", &format!("{}=", made.token), &format!(" {}", made.token), &more] {
        assert!(matches!(open(wrong), Err(Refusal::WrongToken(_))), "{wrong}");
    }
    for other in [key("another", Policy::everything()), Key { id: "bob".into(), ..admin() }] {
        let refused = Session::open(&ring(other), &made.id, &made.token, at(1000));
        assert!(matches!(refused, Err(Refusal::WrongToken(_))));
    }
}

#[test]
fn a_session_ends() {
    let made = session(Kind::User, &[]).credentials(&admin()).unwrap();
    let open = |now| Session::open(&ring(admin()), &made.id, &made.token, at(now)).map(|_| ());
    assert!(open(1999).is_ok());
    for late in [2000, 5000] {
        match open(late) {
            Err(Refusal::SessionOver { at: end, server }) => assert_eq!((end, server), (at(2000), at(late))),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_session_may_do_what_all_its_policies_allow() {
    let policy = |text: &str| Policy::parse(text).unwrap();
    assert_eq!(rights(&ring(admin()), &session(role(false), &[])).unwrap(), Policy::everything());
    assert_eq!(rights(&ring(admin()), &session(Kind::User, &[RAW])).unwrap(), policy(RAW));
    // What the key may do is asked now, not when the session was made.
    let limited = ring(key("s3cret", policy(RAW)));
    for (kind, policies) in [(Kind::User, vec![READ]), (role(false), vec![READ, READ])] {
        let rights = rights(&limited, &session(kind, &policies)).unwrap();
        assert!(rights.allows("s3:GetObject", "arn:aws:s3:::raw/a"));
        assert!(!rights.allows("s3:PutObject", "arn:aws:s3:::raw/a"));
        assert!(!rights.allows("s3:GetObject", "arn:aws:s3:::other/a"));
    }
    let nothing = rights(&ring(admin()), &session(Kind::User, &[r#"{"Statement": []}"#])).unwrap();
    assert!(!nothing.allows("s3:GetObject", "*"));
}

#[test]
fn a_configured_role_has_its_own_rights() {
    let policy = |text: &str| Policy::parse(text).unwrap();
    let roles = |name: &str| vec![(name.to_owned(), Policy::parse(RAW).unwrap())];
    let keys = ring(admin()).with_roles(roles("night/etl")).unwrap();
    assert_eq!(rights(&keys, &session(role(true), &[])).unwrap(), policy(RAW));
    // A session that was made when there were no roles keeps the rights that it was made with.
    assert_eq!(rights(&keys, &session(role(false), &[])).unwrap(), Policy::everything());
    let both = rights(&keys, &session(role(true), &[READ])).unwrap();
    assert!(both.allows("s3:GetObject", "arn:aws:s3:::raw/a"));
    assert!(!both.allows("s3:PutObject", "arn:aws:s3:::raw/a"));
    assert!(!both.allows("s3:GetObject", "arn:aws:s3:::other/a"));
    for without in [ring(admin()), ring(admin()).with_roles(roles("etl")).unwrap()] {
        let refused = rights(&without, &session(role(true), &[]));
        assert!(
            matches!(&refused, Err(Refusal::WrongToken(text)) if text.contains("night/etl")),
            "{refused:?}"
        );
    }
}
