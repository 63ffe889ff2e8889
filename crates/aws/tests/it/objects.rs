//! Buckets and objects, from their making to their end.

use crate::house::{Ask, House};
use state::events::{Filter, Live};

#[tokio::test]
async fn the_life_of_a_bucket() {
    let house = House::new().await;
    assert_eq!(house.ask(Ask::s3("PUT", "/raw")).await.status, 200);
    for (method, path, status, code) in [
        ("PUT", "/raw", 409, "BucketAlreadyOwnedByYou"),
        ("PUT", "/Raw_", 400, "InvalidBucketName"),
        ("GET", "/absent", 404, "NoSuchBucket"),
        ("GET", "/absent/key", 404, "NoSuchBucket"),
        ("PUT", "/absent/key", 404, "NoSuchBucket"),
        ("DELETE", "/absent/key", 404, "NoSuchBucket"),
        ("GET", "/raw/absent", 404, "NoSuchKey"),
        ("HEAD", "/raw", 200, ""),
        ("HEAD", "/absent", 404, ""),
        ("GET", "/raw?location", 200, ""),
        ("GET", "/raw?versioning", 200, ""),
        ("GET", "/", 200, ""),
        ("GET", "/raw?tagging", 404, "NoSuchTagSet"),
        ("GET", "/raw?website", 501, "NotImplemented"),
        ("PUT", "/raw?replication", 501, "NotImplemented"),
        ("PATCH", "/raw/x", 501, "NotImplemented"),
    ] {
        let answer = house.ask(Ask::s3(method, path)).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{method} {path}: {}", answer.text());
    }
    assert_eq!(house.ask(Ask::s3("GET", "/raw?location")).await.text().matches("eu-central-1").count(), 1);
    let denied = house.ask(Ask::s3("GET", "/raw?website")).await.element("Message");
    assert!(denied.contains("GetBucketWebsite") && denied.contains("ListObjectsV2"), "{denied}");
    house.put("/raw/a", "1").await;
    assert_eq!(house.ask(Ask::s3("DELETE", "/raw")).await.outcome(), (409, "BucketNotEmpty".into()));
    assert_eq!(house.ask(Ask::s3("DELETE", "/raw/a")).await.status, 204);
    assert_eq!(house.ask(Ask::s3("DELETE", "/raw")).await.status, 204);
    assert_eq!(house.ask(Ask::s3("HEAD", "/raw")).await.status, 404);
}

#[tokio::test]
async fn an_object_comes_back_with_all_that_was_said_of_it() {
    let house = House::with_bucket().await;
    let put = Ask::s3("PUT", "/raw/a/b%20c%2Bd.csv")
        .header("content-type", "text/csv")
        .header("cache-control", "no-store")
        .header("content-encoding", "gzip")
        .header("expires", "never")
        .header("x-amz-meta-origin", "sensor 7")
        .header("content-md5", "gnzLDuqKcGxMNKFokfhOew==")
        .header("x-amz-checksum-sha1", "A95sQH5OX9hN6Kv68EZsoskwUmU=");
    let put = house.ask(put.body("abcde\n")).await;
    assert_eq!(put.outcome(), (400, "BadDigest".into()), "{}", put.text());
    let put = Ask::s3("PUT", "/raw/a/b%20c%2Bd.csv")
        .header("content-type", "text/csv")
        .header("cache-control", "no-store")
        .header("content-encoding", "gzip")
        .header("x-amz-meta-origin", "sensor 7")
        .header("x-amz-checksum-sha1", "A95sQH5OX9hN6Kv68EZsoskwUmU=");
    let put = house.ask(put.body("abcde")).await;
    assert_eq!(put.outcome(), (400, "BadDigest".into()), "{}", put.text());
    let put = Ask::s3("PUT", "/raw/a/b%20c%2Bd.csv")
        .header("content-type", "text/csv")
        .header("cache-control", "no-store")
        .header("content-encoding", "gzip")
        .header("expires", "never")
        .header("x-amz-meta-origin", "sensor 7")
        .header("x-amz-checksum-crc32", "hYfYZQ==");
    let put = house.ask(put.body("abcde")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(put.header("etag"), "\"ab56b4d92b40713acc5af89985d4b786\"");
    assert_eq!(put.header("x-amz-checksum-crc32"), "hYfYZQ==");

    let plain = house.folder.path().join("buckets/raw/a/b c+d.csv");
    assert_eq!(std::fs::read_to_string(plain).unwrap(), "abcde");
    for method in ["GET", "HEAD"] {
        let got =
            house.ask(Ask::s3(method, "/raw/a/b%20c%2Bd.csv").header("x-amz-checksum-mode", "ENABLED")).await;
        assert_eq!(
            (got.status.as_u16(), got.header("content-length")),
            (200, "5"),
            "{method} {}",
            got.text()
        );
        for (name, value) in [
            ("etag", "\"ab56b4d92b40713acc5af89985d4b786\""),
            ("content-type", "text/csv"),
            ("cache-control", "no-store"),
            ("content-encoding", "gzip"),
            ("expires", "never"),
            ("x-amz-meta-origin", "sensor 7"),
            ("x-amz-checksum-crc32", "hYfYZQ=="),
            ("accept-ranges", "bytes"),
        ] {
            assert_eq!(got.header(name), value, "{method} {name}");
        }
        assert_eq!(got.body, if method == "GET" { "abcde" } else { "" });
    }
}

#[tokio::test]
async fn files_that_people_drop_are_objects() {
    let house = House::with_bucket().await;
    std::fs::create_dir_all(house.folder.path().join("buckets/raw/logs")).unwrap();
    std::fs::write(house.folder.path().join("buckets/raw/logs/day.txt"), "hello").unwrap();
    let got = house.ask(Ask::s3("GET", "/raw/logs/day.txt")).await;
    assert_eq!((got.text().as_str(), got.header("content-type")), ("hello", "binary/octet-stream"));
    let list = house.ask(Ask::s3("GET", "/raw?list-type=2&prefix=logs%2F")).await;
    assert_eq!(list.element("Key"), "logs/day.txt");
}

#[tokio::test]
async fn ranges() {
    let house = House::with_bucket().await;
    house.put("/raw/digits", "0123456789").await;
    house.put("/raw/empty", "").await;
    for (path, range, status, body, content_range) in [
        ("/raw/digits", "bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("/raw/digits", "bytes=7-", 206, "789", "bytes 7-9/10"),
        ("/raw/digits", "bytes=7-100", 206, "789", "bytes 7-9/10"),
        ("/raw/digits", "bytes=-3", 206, "789", "bytes 7-9/10"),
        ("/raw/digits", "bytes=-30", 206, "0123456789", "bytes 0-9/10"),
        ("/raw/digits", "bytes=0-1,4-5", 200, "0123456789", ""),
        ("/raw/digits", "lines=1-2", 200, "0123456789", ""),
        ("/raw/digits", "bytes=10-", 416, "", "bytes */10"),
        ("/raw/empty", "bytes=0-", 416, "", "bytes */0"),
    ] {
        let got = house.ask(Ask::s3("GET", path).header("range", range)).await;
        assert_eq!((got.status.as_u16(), got.header("content-range")), (status, content_range), "{range}");
        match status {
            200 | 206 => assert_eq!(got.text(), body, "{range}"),
            _ => assert_eq!(got.element("Code"), "InvalidRange"),
        }
        let head = house.ask(Ask::s3("HEAD", path).header("range", range)).await;
        assert_eq!(
            (head.status.as_u16(), head.header("content-range")),
            (status, content_range),
            "HEAD {range}"
        );
    }
}

#[tokio::test]
async fn copies() {
    let house = House::with_bucket().await;
    let put = Ask::s3("PUT", "/raw/from").header("content-type", "text/a").header("x-amz-meta-m", "1");
    house.ask(put.body("copied")).await;
    let copied = house.ask(Ask::s3("PUT", "/raw/to").header("x-amz-copy-source", "/raw/from")).await;
    assert_eq!(copied.status, 200, "{}", copied.text());
    assert!(copied.text().contains("<CopyObjectResult"), "{}", copied.text());
    let to = house.ask(Ask::s3("GET", "/raw/to")).await;
    assert_eq!(
        (to.text().as_str(), to.header("content-type"), to.header("x-amz-meta-m")),
        ("copied", "text/a", "1")
    );
    let replaced = Ask::s3("PUT", "/raw/from")
        .header("x-amz-copy-source", "raw%2Ffrom")
        .header("x-amz-metadata-directive", "REPLACE");
    assert_eq!(house.ask(replaced).await.status, 200);
    let from = house.ask(Ask::s3("GET", "/raw/from")).await;
    assert_eq!((from.text().as_str(), from.header("x-amz-meta-m")), ("copied", ""));
    for (source, more, status, code) in [
        ("/raw/absent", None, 404, "NoSuchKey"),
        ("/absent/from", None, 404, "NoSuchBucket"),
        ("/raw/to", None, 400, "InvalidRequest"),
        ("/raw/from", Some(("x-amz-copy-source-if-match", "\"other\"")), 412, "PreconditionFailed"),
        ("/raw/from", Some(("if-none-match", "*")), 412, "PreconditionFailed"),
        ("/raw/from", Some(("x-amz-tagging-directive", "MOVE")), 400, "InvalidArgument"),
    ] {
        let mut ask = Ask::s3("PUT", "/raw/to").header("x-amz-copy-source", source);
        if let Some((name, value)) = more {
            ask = ask.header(name, value);
        }
        let answer = house.ask(ask).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{source} {more:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn many_keys_are_deleted_at_once() {
    let house = House::with_bucket().await;
    for key in ["a", "b%26c", "d"] {
        house.put(&format!("/raw/{key}"), "x").await;
    }
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object>\
                <Object><Key>absent</Key></Object></Delete>";
    let wrong = Ask::s3("POST", "/raw?delete").header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(house.ask(wrong.body(body)).await.outcome(), (400, "BadDigest".into()));
    let done = house.ask(Ask::s3("POST", "/raw?delete").body(body)).await;
    assert_eq!((done.status.as_u16(), done.text().matches("<Deleted>").count()), (200, 3), "{}", done.text());
    let list = house.ask(Ask::s3("GET", "/raw?list-type=2")).await;
    assert_eq!((list.element("KeyCount"), list.element("Key")), ("1".into(), "d".into()));
    let broken = house.ask(Ask::s3("POST", "/raw?delete").body("<Delete><Obj")).await;
    assert_eq!(broken.outcome(), (400, "MalformedXML".into()), "{}", broken.text());
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let house = House::with_bucket().await;
    for (name, value, code) in [
        ("x-amz-server-side-encryption", "aws:kms", "NotImplemented"),
        ("x-amz-tagging", "a=b&a=c", "InvalidTag"),
        ("x-amz-storage-class", "GLACIER", "InvalidStorageClass"),
        ("x-amz-acl", "public-read", "AccessControlListNotSupported"),
        ("if-match", "*", "NotImplemented"),
    ] {
        let answer = house.ask(Ask::s3("PUT", "/raw/k").header(name, value).body("x")).await;
        assert_eq!(answer.element("Code"), code, "{name}: {}", answer.text());
    }
    let versioned = house.ask(Ask::s3("GET", "/raw/k?versionId=abc")).await;
    assert_eq!(versioned.outcome(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn buckets_in_the_name_of_the_host() {
    let house = House::with_bucket().await;
    for host in ["raw.localhost", "raw.s3.localhost", "raw.s3.eu-central-1.localhost"] {
        let host = format!("{host}:{}", house.address.port());
        let put = house.ask(Ask::s3("PUT", "/a/key").host(&host).body(host.clone())).await;
        assert_eq!(put.status, 200, "{}", put.text());
        assert_eq!(house.ask(Ask::s3("GET", "/raw/a/key")).await.text(), host);
        let list = house.ask(Ask::s3("GET", "/?list-type=2").host(&host)).await;
        assert_eq!(list.element("Name"), "raw");
    }
}

#[tokio::test]
async fn what_happens_is_told() {
    let house = House::with_bucket().await;
    let mut heard = house.events.live(Filter::default().under("s3://raw/"));
    house.put("/raw/a", "1").await;
    house.ask(Ask::s3("PUT", "/raw/b").header("x-amz-copy-source", "/raw/a")).await;
    house.ask(Ask::s3("DELETE", "/raw/a")).await;
    house.ask(Ask::s3("PUT", "/raw/c").header("if-match", "x").body("1")).await;
    house.put("/raw/d", "1").await;
    let told = ["created s3://raw/a", "created s3://raw/b", "deleted s3://raw/a", "created s3://raw/d"];
    for expected in told {
        match heard.next().await {
            Some(Live::Event(event)) => {
                assert_eq!(format!("{} {}", event.kind, event.subject), format!("object.{expected}"));
            }
            other => panic!("{other:?} instead of {expected}"),
        }
    }
}
