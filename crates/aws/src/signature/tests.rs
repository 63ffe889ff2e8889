//! The examples that AWS publishes, the forms in which requests lie, and chunks that were tampered with.

use super::*;
use crate::body::{BodyError, collect, of_pieces};
use crate::policy::Policy;
use bytes::Bytes;
use http::Request;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn key(secret: &str) -> Key {
    Key { id: "AKIAIOSFODNN7EXAMPLE".into(), secret: secret.into(), policy: Policy::everything() }
}

fn s3_key() -> Key {
    key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn authorization(scope: &str, signed: &str, signature: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential={scope}/aws4_request, SignedHeaders={signed},Signature={signature}")
}

const SCOPE: &str = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3";

fn claim(parts: &Parts) -> Claim {
    Claim::read(parts).unwrap().unwrap()
}

#[test]
fn the_examples_of_s3() {
    let basic = "host;x-amz-content-sha256;x-amz-date";
    let put = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    for (method, uri, signed, extra, payload, signature) in [
        (
            "GET",
            "/test.txt",
            "host;range;x-amz-content-sha256;x-amz-date",
            vec![("range", "bytes=0-9")],
            EMPTY,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            vec![("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            put,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/?lifecycle",
            basic,
            vec![],
            EMPTY,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            basic,
            vec![],
            EMPTY,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let authorization = authorization(SCOPE, signed, signature);
        let mut headers = vec![
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", payload),
            ("x-amz-date", "20130524T000000Z"),
            ("authorization", authorization.as_str()),
        ];
        headers.extend(extra);
        let parts = parts(method, uri, &headers);
        let claim = claim(&parts);
        assert_eq!((claim.scope.service.as_str(), claim.scope.region.as_str()), ("s3", "us-east-1"));
        assert!(claim.verify(&parts, &s3_key(), payload).is_ok(), "{method} {uri}");
        assert!(matches!(claim.verify(&parts, &key("other"), payload), Err(Refusal::Mismatch { .. })));
        assert!(
            matches!(claim.verify(&parts, &s3_key(), put), Err(Refusal::Mismatch { .. })) || payload == put
        );
    }
}

#[test]
fn the_examples_of_other_services() {
    let key = key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    for (method, uri, signed, extra, signature) in [
        (
            "GET",
            "/",
            "host;x-amz-date",
            vec![],
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            "/",
            "host;x-amz-date",
            vec![],
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            "host;x-amz-date",
            vec![],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/",
            "host;my-header1;my-header2;x-amz-date",
            vec![("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
    ] {
        let authorization = authorization("AKIDEXAMPLE/20150830/us-east-1/service", signed, signature);
        let mut headers = vec![
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization.as_str()),
        ];
        headers.extend(extra);
        let parts = parts(method, uri, &headers);
        assert!(claim(&parts).verify(&parts, &key, EMPTY).is_ok(), "{method} {uri}");
    }
}

#[test]
fn a_presigned_url_holds_as_long_as_it_says() {
    let uri = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F\
               us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&\
               X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let parts = parts("GET", uri, &[("host", "examplebucket.s3.amazonaws.com")]);
    let claim = claim(&parts);
    assert!(claim.verify(&parts, &s3_key(), "UNSIGNED-PAYLOAD").is_ok());
    let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
    assert!(claim.check_time(at("2013-05-24T00:00:00Z")).is_ok());
    assert!(claim.check_time(at("2013-05-23T23:46:00Z")).is_ok());
    assert!(claim.check_time(at("2013-05-25T00:00:00Z")).is_ok());
    assert!(matches!(claim.check_time(at("2013-05-23T23:44:00Z")), Err(Refusal::Skewed { .. })));
    assert!(matches!(claim.check_time(at("2013-05-25T00:00:01Z")), Err(Refusal::Expired { .. })));
}

#[test]
fn clocks_may_differ_by_a_quarter_of_an_hour() {
    let authorization = authorization(SCOPE, "host;x-amz-date", "00");
    let headers =
        [("host", "h"), ("x-amz-date", "20130524T120000Z"), ("authorization", authorization.as_str())];
    let claim = claim(&parts("GET", "/", &headers));
    for (minutes, holds) in [(-16, false), (-15, true), (0, true), (15, true), (16, false)] {
        assert_eq!(claim.check_time(claim.time + Duration::minutes(minutes)).is_ok(), holds, "{minutes}");
    }
}

#[test]
fn unreadable_claims_are_refused() {
    let good = authorization(SCOPE, "host;x-amz-date", "00");
    let date = ("x-amz-date", "20130524T000000Z");
    for (uri, headers, part) in [
        ("/", vec![("authorization", "AWS AKID:signature"), date], "algorithm"),
        ("/", vec![("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c"), date], "not of the form"),
        ("/", vec![("authorization", "AWS4-HMAC-SHA256 Signature=00"), date], "Credential"),
        ("/", vec![("authorization", good.as_str())], "neither x-amz-date"),
        ("/", vec![("authorization", good.as_str()), ("x-amz-date", "yesterday")], "no time"),
        ("/", vec![("authorization", good.as_str()), ("x-amz-date", "20130525T000000Z")], "not the day"),
        ("/?X-Amz-Signature=00", vec![], "X-Amz-Algorithm"),
        ("/?X-Amz-Credential=a&X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256", vec![], "ECDSA"),
        (
            "/?X-Amz-Credential=a&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20130524T000000Z&X-Amz-Expires=604801",
            vec![],
            "604800",
        ),
    ] {
        let refusal = Claim::read(&parts("GET", uri, &headers)).unwrap_err();
        assert!(refusal.message().contains(part), "{uri} {headers:?}: {}", refusal.message());
    }
    assert!(Claim::read(&parts("GET", "/?X-Amz-Acl=private", &[])).unwrap().is_none());
    let unsigned = [("host", "h"), ("x-amz-acl", "private"), ("authorization", good.as_str()), date];
    let parts = parts("GET", "/", &unsigned);
    assert!(matches!(claim(&parts).verify(&parts, &s3_key(), EMPTY), Err(Refusal::UnsignedHeader(_))));
}

/// The example of an upload in chunks that AWS publishes.
fn chunked() -> (ChunkSigner, Vec<u8>) {
    let authorization = authorization(
        SCOPE,
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    let payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let parts = parts(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &[
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("authorization", &authorization),
            ("x-amz-content-sha256", payload),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("content-length", "66824"),
        ],
    );
    let claim = claim(&parts);
    let signer = claim.verify(&parts, &s3_key(), payload).map(|proof| proof.chunks(&claim));
    let mut body = Vec::new();
    for (size, signature) in [
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        body.extend(format!("{size:x};chunk-signature={signature}\r\n").bytes());
        body.extend(vec![b'a'; size]);
        body.extend(b"\r\n");
    }
    let Ok(signer) = signer else { panic!("the example does not hold") };
    (signer, body)
}

async fn unwrap_chunks(body: &[u8], piece: usize, length: u64) -> Result<Bytes, BodyError> {
    let pieces: Vec<&[u8]> = body.chunks(piece).collect();
    let stream = decode_chunks(of_pieces(&pieces), Some(chunked().0), false, length, Trailers::default());
    collect(stream, 1 << 20).await
}

#[tokio::test]
async fn chunks_are_unwrapped_however_they_arrive() {
    let (_, body) = chunked();
    for piece in [1 << 20, 65536, 1000, 86] {
        assert_eq!(unwrap_chunks(&body, piece, 66560).await.unwrap(), vec![b'a'; 66560], "{piece}");
    }
}

#[tokio::test]
async fn tampered_chunks_are_refused() {
    let (_, body) = chunked();
    let mut changed = body.clone();
    changed[100] = b'b';
    assert_eq!(unwrap_chunks(&changed, 4096, 66560).await, Err(BodyError::ChunkSignature));
    let cut = &body[..body.len() - 90];
    assert!(matches!(unwrap_chunks(cut, 4096, 66560).await, Err(BodyError::Incomplete(_))));
    assert!(matches!(unwrap_chunks(&body[..40000], 4096, 66560).await, Err(BodyError::Incomplete(_))));
    assert!(matches!(unwrap_chunks(&body, 4096, 66561).await, Err(BodyError::Incomplete(_))));
    assert!(matches!(unwrap_chunks(&body, 4096, 66559).await, Err(BodyError::Malformed(_))));
    assert!(matches!(unwrap_chunks(b"zz\r\n", 4, 1).await, Err(BodyError::Malformed(_))));
    assert!(matches!(unwrap_chunks(&[b'1'; 9000], 4096, 1).await, Err(BodyError::Malformed(_))));
    let mut more = body.clone();
    more.extend(b"x-amz-checksum-crc32: AAAA\r\n");
    assert!(matches!(unwrap_chunks(&more, 4096, 66560).await, Err(BodyError::Malformed(_))));
}

#[tokio::test]
async fn trailers_are_kept() {
    let trailers = Trailers::default();
    let body: &[u8] = b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-CRC32:  hYfYZQ==\r\n\r\n";
    let stream = decode_chunks(of_pieces(&[body]), None, true, 5, trailers.clone());
    assert_eq!(collect(stream, 100).await.unwrap(), "abcde");
    assert_eq!(trailers.get("x-amz-checksum-crc32").as_deref(), Some("hYfYZQ=="));
    let wrong: &[u8] = b"3\r\nabcd\r\n0\r\n\r\n";
    let stream = decode_chunks(of_pieces(&[wrong]), None, true, 3, Trailers::default());
    assert!(matches!(collect(stream, 100).await, Err(BodyError::Malformed(_))));
}

#[tokio::test]
async fn a_signed_trailer_must_fit() {
    // By the same rules, worked out here step by step: an empty chunk and one header.
    let signing = SigningKey::new("secret", &claim_scope());
    let scope = claim_scope().tail();
    let chunk = signing.sign(
        format!("AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n{scope}\nseed\n{EMPTY}\n{EMPTY}").as_bytes(),
    );
    let hash = hex_sha256(b"x-amz-checksum-crc32:AAAAAA==\n");
    let trailer = signing
        .sign(format!("AWS4-HMAC-SHA256-TRAILER\n20130524T000000Z\n{scope}\n{chunk}\n{hash}").as_bytes());
    for (signature, holds) in [(trailer.as_str(), true), (chunk.as_str(), false), ("", false)] {
        let body = format!(
            "0;chunk-signature={chunk}\r\nx-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:{signature}\r\n\r\n"
        );
        let signer = ChunkSigner::new(signing.clone(), "20130524T000000Z", &scope, "seed".to_owned());
        let stream = decode_chunks(of_pieces(&[body.as_bytes()]), Some(signer), true, 0, Trailers::default());
        assert_eq!(collect(stream, 100).await.is_ok(), holds, "{signature}");
    }
}

fn claim_scope() -> claim::Scope {
    claim::Scope {
        key: "k".into(),
        date: "20130524".into(),
        region: "us-east-1".into(),
        service: "s3".into(),
    }
}
