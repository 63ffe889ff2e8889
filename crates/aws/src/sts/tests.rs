//! Who gets a session of what, without a server.

use super::*;
use crate::keys::Key;
use crate::policy::Policy;
use crate::session;
use crate::signature::Claim;
use http::Request;

const ROLE: &str = "arn:aws:iam::123456789012:role/etl";
const ETL: &str = r#"{"Statement": [
    {"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": ["arn:aws:s3:::raw/*", "arn:aws:iam::*"]}]}"#;
const READ: &str =
    r#"{"Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "sts:*"], "Resource": "*"}}"#;
/// May assume `etl` and nothing else.
const STEP: &str = r#"{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
    "Resource": "arn:aws:iam::123456789012:role/etl"}}"#;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn ring(roles: &[(&str, &str)]) -> KeyRing {
    let key = |id: &str, policy| Key { id: id.into(), secret: "s3cret".into(), policy };
    let keys = vec![
        key("admin", Policy::everything()),
        key("step", Policy::parse(STEP).unwrap()),
        key("nobody", Policy::default()),
    ];
    let roles = roles.iter().map(|(name, policy)| ((*name).to_owned(), Policy::parse(policy).unwrap()));
    KeyRing::new(keys, "127.0.0.1".parse().unwrap()).unwrap().with_roles(roles.collect()).unwrap()
}

/// Who calls with this key and session token, by the way of a request that claims it.
fn caller(keys: &KeyRing, id: &str, token: &str) -> Caller {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/20231114/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00"
    );
    let request = Request::builder()
        .header("authorization", authorization)
        .header("x-amz-date", "20231114T221320Z")
        .header("x-amz-security-token", token);
    let claim = Claim::read(&request.body(()).unwrap().into_parts().0).unwrap().unwrap();
    session::caller(keys, &claim, &"123456789012".parse().unwrap(), at(0)).unwrap()
}

fn ask(keys: &KeyRing, who: &Caller, action: &str, fields: &[(&str, &str)]) -> Result<Elements, Fault> {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    run(action, &Asked::new(fields, who, keys, at(0)))
}

/// The text of an element, wherever it stands.
fn text(elements: &Elements, wanted: &str) -> String {
    let found = elements.iter().find_map(|(name, element)| match element {
        Element::Text(text) => (*name == wanted).then(|| text.clone()),
        Element::Group(inner) => Some(text(inner, wanted)).filter(|text| !text.is_empty()),
    });
    found.unwrap_or_default()
}

/// The caller that an answer's keys make.
fn become_of(keys: &KeyRing, answer: &Elements) -> Caller {
    caller(keys, &text(answer, "AccessKeyId"), &text(answer, "SessionToken"))
}

fn code(answer: Result<Elements, Fault>) -> String {
    answer.map_or_else(|fault| fault.code.into_owned(), |_| "done".to_owned())
}

fn assume<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("RoleArn", ROLE), ("RoleSessionName", "one")];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more);
    fields
}

#[test]
fn a_role_without_configuration_has_the_callers_rights() {
    let keys = ring(&[]);
    let admin = caller(&keys, "admin", "");
    let answer = ask(&keys, &admin, "AssumeRole", &assume(&[("SourceIdentity", "ada")])).unwrap();
    assert_eq!(text(&answer, "Arn"), "arn:aws:sts::123456789012:assumed-role/etl/one");
    assert!(text(&answer, "AssumedRoleId").ends_with(":one"));
    assert_eq!(text(&answer, "Expiration"), "2023-11-14T23:13:20Z");
    assert_eq!(
        (text(&answer, "SourceIdentity"), text(&answer, "PackedPolicySize")),
        ("ada".into(), "".into())
    );
    let session = become_of(&keys, &answer);
    assert!(session.may_all());
    let me = ask(&keys, &session, "GetCallerIdentity", &[]).unwrap();
    assert_eq!(text(&me, "Arn"), text(&answer, "Arn"));
    assert_eq!(text(&me, "UserId"), text(&answer, "AssumedRoleId"));
    // A policy takes away, and stays on all that follows.
    let narrow = ask(&keys, &session, "AssumeRole", &assume(&[("Policy", READ)])).unwrap();
    assert_eq!(text(&narrow, "SourceIdentity"), "ada");
    assert!(text(&narrow, "PackedPolicySize").parse::<u32>().unwrap() > 0);
    let narrow = become_of(&keys, &narrow);
    let again = become_of(&keys, &ask(&keys, &narrow, "AssumeRole", &assume(&[])).unwrap());
    for session in [&narrow, &again] {
        assert!(session.may("s3:GetObject", "arn:aws:s3:::raw/a") && !session.may_all());
        assert!(!session.may("s3:PutObject", "arn:aws:s3:::raw/a"));
        assert_eq!(session.maker(), "admin");
        assert!(session.denial("s3:PutObject", "*").contains("assumed-role/etl/one"));
    }
    let other = ask(&keys, &again, "AssumeRole", &assume(&[("SourceIdentity", "bob")]));
    assert_eq!(code(other), "AccessDenied");
    let long = ask(&keys, &again, "AssumeRole", &assume(&[("DurationSeconds", "3601")]));
    assert_eq!(code(long), "ValidationError");
}

#[test]
fn configured_roles_have_rights_of_their_own() {
    let keys = ring(&[("etl", ETL), ("read", READ)]);
    let step = caller(&keys, "step", "");
    assert!(!step.may("s3:GetObject", "arn:aws:s3:::raw/a"));
    let etl = become_of(&keys, &ask(&keys, &step, "AssumeRole", &assume(&[])).unwrap());
    assert!(etl.may("s3:PutObject", "arn:aws:s3:::raw/a") && !etl.may("s3:PutObject", "arn:aws:s3:::b/a"));
    let narrow = ask(&keys, &step, "AssumeRole", &assume(&[("Policy", READ)])).unwrap();
    let narrow = become_of(&keys, &narrow);
    assert!(
        narrow.may("s3:GetObject", "arn:aws:s3:::raw/a") && !narrow.may("s3:GetObject", "arn:aws:s3:::b/a")
    );
    assert!(!narrow.may("s3:PutObject", "arn:aws:s3:::raw/a"));
    // One role leads to the next by its own policy.
    let read = [("RoleArn", "arn:aws:iam::123456789012:role/read")];
    assert_eq!(code(ask(&keys, &step, "AssumeRole", &assume(&read))), "AccessDenied");
    let read = become_of(&keys, &ask(&keys, &etl, "AssumeRole", &assume(&read)).unwrap());
    assert!(read.may("s3:GetObject", "arn:aws:s3:::b/a") && !read.may("s3:PutObject", "arn:aws:s3:::raw/a"));
    let admin = caller(&keys, "admin", "");
    for arn in ["role/other", "role/path/etl", "role/ETL"] {
        let arn = format!("arn:aws:iam::123456789012:{arn}");
        let refused = ask(&keys, &admin, "AssumeRole", &assume(&[("RoleArn", arn.as_str())])).unwrap_err();
        assert_eq!((refused.status, &*refused.code), (StatusCode::FORBIDDEN, "AccessDenied"), "{arn}");
        assert!(refused.message.contains("aws.roles"), "{}", refused.message);
    }
}

#[test]
fn sessions_of_users_and_of_others() {
    let keys = ring(&[]);
    let (admin, nobody) = (caller(&keys, "admin", ""), caller(&keys, "nobody", ""));
    let answer = ask(&keys, &nobody, "GetSessionToken", &[("DurationSeconds", "900")]).unwrap();
    assert_eq!(text(&answer, "Expiration"), "2023-11-14T22:28:20Z");
    let session = become_of(&keys, &answer);
    assert_eq!(session.arn(), "arn:aws:iam::123456789012:user/nobody");
    assert!(!session.may("s3:GetObject", "*"));
    let own = become_of(&keys, &ask(&keys, &admin, "GetSessionToken", &[]).unwrap());
    assert!(own.may_all());
    let federated = |fields: &[(&str, &str)]| {
        let answer = ask(&keys, &admin, "GetFederationToken", fields).unwrap();
        assert_eq!(text(&answer, "FederatedUserId"), "123456789012:Bob");
        become_of(&keys, &answer)
    };
    let bare = federated(&[("Name", "Bob")]);
    assert_eq!(bare.arn(), "arn:aws:sts::123456789012:federated-user/Bob");
    assert!(!bare.may("s3:GetObject", "*"), "without a policy it may do nothing");
    let bob = federated(&[("Name", "Bob"), ("Policy", READ)]);
    assert!(bob.may("s3:GetObject", "*") && !bob.may("s3:PutObject", "*"));
    for session in [&own, &bob] {
        for action in ["GetSessionToken", "GetFederationToken"] {
            assert_eq!(code(ask(&keys, session, action, &[])), "AccessDenied", "{action}");
        }
    }
    assert_eq!(code(ask(&keys, &own, "AssumeRole", &assume(&[("DurationSeconds", "43200")]))), "done");
    assert_eq!(code(ask(&keys, &bob, "AssumeRole", &assume(&[]))), "AccessDenied");
    assert_eq!(code(ask(&keys, &nobody, "AssumeRole", &assume(&[]))), "AccessDenied");
    assert_eq!(code(ask(&keys, &nobody, "GetFederationToken", &[("Name", "Bob")])), "AccessDenied");
    let info = |who: &Caller, id: &str| ask(&keys, who, "GetAccessKeyInfo", &[("AccessKeyId", id)]);
    assert_eq!(text(&info(&admin, "nobody").unwrap(), "Account"), "123456789012");
    assert_eq!(text(&info(&own, &own.key.id).unwrap(), "Account"), "123456789012");
    assert_eq!(code(info(&admin, &own.key.id)), "ValidationError");
    assert_eq!(code(info(&nobody, "admin")), "AccessDenied");
}

#[test]
fn what_is_wrong_or_not_supported_is_said() {
    let keys = ring(&[]);
    let admin = caller(&keys, "admin", "");
    let long = format!(r#"{{"Statement": [], "Id": "{}"}}"#, "x".repeat(2048));
    for (field, value, code, part) in [
        ("RoleArn", "", "ValidationError", "RoleArn is missing"),
        ("RoleArn", "etl", "ValidationError", "arn:aws:iam::ACCOUNT:role/NAME"),
        ("RoleArn", "arn:aws-cn:iam::123456789012:role/etl", "ValidationError", "arn:aws:iam"),
        ("RoleArn", "arn:aws:iam:us-east-1:123456789012:role/etl", "ValidationError", "arn:aws:iam"),
        ("RoleArn", "arn:aws:iam::123456789012:user/etl", "ValidationError", "arn:aws:iam"),
        ("RoleArn", "arn:aws:iam::123456789012:role/*", "ValidationError", "arn:aws:iam"),
        ("RoleArn", "arn:aws:iam::210987654321:role/etl", "AccessDenied", "123456789012"),
        ("RoleSessionName", "", "ValidationError", "RoleSessionName is missing"),
        ("RoleSessionName", "a", "ValidationError", "2 to 64"),
        ("RoleSessionName", "a/b", "ValidationError", "RoleSessionName"),
        ("SourceIdentity", "a b", "ValidationError", "SourceIdentity"),
        ("ExternalId", "a*", "ValidationError", "ExternalId"),
        ("DurationSeconds", "899", "ValidationError", "900 to 43200"),
        ("DurationSeconds", "43201", "ValidationError", "900 to 43200"),
        ("DurationSeconds", "an hour", "ValidationError", "an hour"),
        ("Policy", "{", "MalformedPolicyDocument", "JSON"),
        (
            "Policy",
            r#"{"Statement": {"Effect": "Allow", "Action": "Get", "Resource": "*"}}"#,
            "MalformedPolicyDocument",
            "Get",
        ),
        ("Policy", long.as_str(), "ValidationError", "2048"),
        ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess", "ValidationError", "managed"),
        ("SerialNumber", "arn:aws:iam::123456789012:mfa/ada", "ValidationError", "MFA"),
        ("TokenCode", "123456", "ValidationError", "MFA"),
        ("ProvidedContexts.member.1.ContextAssertion", "x", "ValidationError", "ProvidedContexts"),
    ] {
        let fault = ask(&keys, &admin, "AssumeRole", &assume(&[(field, value)])).unwrap_err();
        assert_eq!(fault.code, code, "{field} {value}: {}", fault.message);
        assert!(fault.message.contains(part), "{field} {value}: {}", fault.message);
    }
    let harmless = [
        ("ExternalId", "tenant:a/b"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "lake"),
        ("TransitiveTagKeys.member.1", "team"),
        ("PolicyArns", ""),
        ("X-Amz-Date", "20231114T221320Z"),
    ];
    assert_eq!(code(ask(&keys, &admin, "AssumeRole", &assume(&harmless))), "done");
    let tags: Vec<(String, String)> =
        (1..=51).map(|number| (format!("Tags.member.{number}.Key"), number.to_string())).collect();
    let tags: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(code(ask(&keys, &admin, "AssumeRole", &assume(&tags))), "ValidationError");
    // Three policies of two thousand bytes are more than travels with a request.
    let wide = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*"}}, "Id": "{}"}}"#,
        "x".repeat(1900)
    );
    let mut who = admin;
    for outcome in ["done", "done", "PackedPolicyTooLarge"] {
        let answer = ask(&keys, &who, "AssumeRole", &assume(&[("Policy", wide.as_str())]));
        if let Ok(answer) = &answer {
            who = become_of(&keys, answer);
        }
        assert_eq!(code(answer), outcome);
    }
    for (action, part) in
        [("AssumeRoleWithSAML", "AssumeRole, "), ("Sing", "GetCallerIdentity"), ("", "no Action")]
    {
        let fault = ask(&keys, &who, action, &[]).unwrap_err();
        assert!(fault.message.contains(part), "{}", fault.message);
    }
}
