//! Multipart uploads and bodies in chunks.

use crate::house::{Ask, House, hex_hash, sign};

const PART: usize = 5 << 20;

async fn begin(house: &House, path: &str) -> String {
    let begun = house.ask(Ask::s3("POST", format!("{path}?uploads")).header("content-type", "text/x")).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    begun.element("UploadId")
}

fn completion(parts: &[(u16, &str)]) -> String {
    let list: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>")
}

#[tokio::test]
async fn parts_become_an_object() {
    let house = House::with_bucket().await;
    house.put("/raw/source", vec![b'c'; 100]).await;
    let id = begin(&house, "/raw/big").await;
    let part = |number: u16| Ask::s3("PUT", format!("/raw/big?partNumber={number}&uploadId={id}"));
    let one = house.ask(part(1).body(vec![b'a'; PART])).await;
    let two = house.ask(part(2).body("tail")).await;
    let three =
        part(3).header("x-amz-copy-source", "raw/source").header("x-amz-copy-source-range", "bytes=10-12");
    let three = house.ask(three).await;
    assert_eq!(three.status, 200, "{}", three.text());
    let (one, two, three) =
        (one.header("etag").to_owned(), two.header("etag").to_owned(), three.element("ETag"));
    let list = house.ask(Ask::s3("GET", format!("/raw/big?uploadId={id}&max-parts=2"))).await;
    assert_eq!(list.text().matches("<Part>").count(), 2, "{}", list.text());
    assert_eq!(list.element("NextPartNumberMarker"), "2");
    assert_eq!(house.ask(Ask::s3("GET", "/raw?uploads&prefix=b")).await.element("UploadId"), id);
    let path = format!("/raw/big?uploadId={id}");
    for (parts, code) in [
        (vec![(1, one.as_str()), (2, "\"00\"")], "InvalidPart"),
        (vec![(2, two.as_str()), (1, one.as_str())], "InvalidPartOrder"),
        (vec![(2, two.as_str()), (3, three.as_str())], "EntityTooSmall"),
        (vec![], "MalformedXML"),
    ] {
        let answer = house.ask(Ask::s3("POST", &path).body(completion(&parts))).await;
        assert_eq!(answer.outcome(), (400, code.to_owned()), "{parts:?}: {}", answer.text());
    }
    let whole = completion(&[(1, &one), (2, &two)]);
    let done = house.ask(Ask::s3("POST", &path).body(whole.clone())).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.element("ETag").ends_with("-2\""), "{}", done.text());
    let got = house.ask(Ask::s3("GET", "/raw/big").header("range", "bytes=5242878-")).await;
    assert_eq!((got.text().as_str(), got.header("content-type")), ("aatail", "text/x"));
    assert_eq!(house.ask(Ask::s3("POST", &path).body(whole)).await.outcome(), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn uploads_are_listed_by_page_and_given_up() {
    let house = House::with_bucket().await;
    let mut begun = Vec::new();
    for path in ["/raw/a", "/raw/b/1", "/raw/b/2", "/raw/c"] {
        begun.push((path, begin(&house, path).await));
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let list = house.ask(Ask::s3("GET", format!("/raw?max-uploads=1&uploads{after}"))).await;
        found.push(list.element("UploadId"));
        if list.element("IsTruncated") != "true" {
            break;
        }
        let key = list.element("NextKeyMarker").replace('/', "%2F");
        after = format!("&key-marker={key}&upload-id-marker={}", list.element("NextUploadIdMarker"));
    }
    assert_eq!(found, begun.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>());
    let grouped = house.ask(Ask::s3("GET", "/raw?delimiter=%2F&uploads")).await.text();
    assert_eq!(
        (grouped.matches("<Upload>").count(), grouped.matches("<CommonPrefixes>").count()),
        (2, 1),
        "{grouped}"
    );
    for (path, id) in &begun {
        let abort = Ask::s3("DELETE", format!("{path}?uploadId={id}"));
        assert_eq!(house.ask(abort.clone()).await.status, 204);
        assert_eq!(house.ask(abort).await.outcome(), (404, "NoSuchUpload".into()));
    }
    let wrong = house.ask(Ask::s3("PUT", "/raw/a?partNumber=1&uploadId=00").body("x")).await;
    assert_eq!(wrong.outcome(), (404, "NoSuchUpload".into()));
}

/// A body in chunks as SDKs send it without signing each: the checksum follows.
fn trailing(path: &str, bytes: &[u8], crc32: &str) -> Ask {
    let mut body = Vec::new();
    for chunk in bytes.chunks(70_000) {
        body.extend(format!("{:x}\r\n", chunk.len()).bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
    }
    body.extend(format!("0\r\nx-amz-checksum-crc32:{crc32}\r\n\r\n").bytes());
    Ask::s3("PUT", path)
        .header("content-encoding", "aws-chunked")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("x-amz-decoded-content-length", bytes.len().to_string())
        .body(body)
}

fn crc32(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes);
    base64::engine::general_purpose::STANDARD.encode(&crc.to_be_bytes()[4..])
}

#[tokio::test]
async fn a_checksum_that_follows_is_checked() {
    let house = House::with_bucket().await;
    let id = begin(&house, "/raw/part").await;
    let part = format!("/raw/part?partNumber=1&uploadId={id}");
    for (size, path) in [(10, "/raw/small"), (3_000_000, "/raw/large"), (0, "/raw/empty"), (2_000_000, &part)]
    {
        let bytes: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
        let wrong = house.ask(trailing(path, &bytes, "AAAAAQ==")).await;
        assert_eq!(wrong.outcome(), (400, "BadDigest".into()), "{path}: {}", wrong.text());
        if path != part {
            assert_eq!(house.ask(Ask::s3("HEAD", path)).await.status, 404, "{path}");
        }
        let right = house.ask(trailing(path, &bytes, &crc32(&bytes))).await;
        assert_eq!(right.status, 200, "{path}: {}", right.text());
        assert_eq!(right.header("x-amz-checksum-crc32"), crc32(&bytes));
        if path != part {
            let got = house.ask(Ask::s3("GET", path)).await;
            assert!(got.body == bytes && got.header("content-encoding").is_empty(), "{path}");
        }
    }
    let mut cut = trailing("/raw/cut", &[7; 1000], "AAAAAQ==");
    cut.body.truncate(500);
    assert_eq!(house.ask(cut).await.outcome(), (400, "IncompleteBody".into()));
    let mut missing = trailing("/raw/cut", &[7; 1000], "AAAAAQ==");
    let length = missing.body.len() - "x-amz-checksum-crc32:AAAAAQ==\r\n\r\n".len();
    missing.body.truncate(length);
    assert_eq!(house.ask(missing).await.outcome(), (400, "InvalidRequest".into()));
    assert_eq!(house.ask(Ask::s3("HEAD", "/raw/cut")).await.status, 404);
}

#[tokio::test]
async fn signed_chunks() {
    let house = House::with_bucket().await;
    let bytes: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[1]).collect();
    for (tamper, outcome) in [(false, (200, "")), (true, (403, "SignatureDoesNotMatch"))] {
        let ask = Ask::s3("PUT", "/raw/signed")
            .header("content-encoding", "aws-chunked")
            .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
            .header("x-amz-decoded-content-length", bytes.len().to_string());
        let mut ask = house.signed(ask);
        let (_, value) = ask.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        let mut previous = value.rsplit("Signature=").next().unwrap().to_owned();
        let stamp = house.stamp();
        let day = stamp[..8].to_owned();
        for chunk in bytes.chunks(65536).chain([&[][..]]) {
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{day}/eu-central-1/s3/aws4_request\n{previous}\n{}\n{}",
                hex_hash(b""),
                hex_hash(chunk)
            );
            previous = sign("secret", &day, "s3", &text);
            ask.body.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).bytes());
            ask.body.extend(chunk);
            ask.body.extend(b"\r\n");
        }
        if tamper {
            ask.body[70_000] ^= 1;
        }
        let answer = house.send(ask).await;
        assert_eq!(answer.outcome(), (outcome.0, outcome.1.to_owned()), "{}", answer.text());
    }
    assert_eq!(house.ask(Ask::s3("GET", "/raw/signed")).await.body, bytes);
}
