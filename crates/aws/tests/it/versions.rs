//! Versions of objects, as a client of S3 sees them.

use crate::house::{Answer, Ask, House};
use state::events::{Filter, Live};

const NO_ANSWER: &str = "";

async fn versioning(house: &House, status: &str) -> Answer {
    let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    house.ask(Ask::s3("PUT", "/raw?versioning").body(body)).await
}

/// A house whose bucket `raw` keeps versions.
async fn versioned() -> House {
    let house = House::with_bucket().await;
    assert_eq!(versioning(&house, "Enabled").await.status, 200);
    house
}

async fn put(house: &House, path: &str, text: &str) -> String {
    house.put(path, text).await.header("x-amz-version-id").to_owned()
}

#[tokio::test]
async fn the_states_of_a_bucket() {
    let house = House::with_bucket().await;
    let status = async || house.ask(Ask::s3("GET", "/raw?versioning")).await.element("Status");
    assert_eq!(status().await, "");
    assert_eq!(put(&house, "/raw/k", "x").await, NO_ANSWER, "a bucket without versions speaks of none");
    for (text, answered) in [("Suspended", "null"), ("Enabled", ""), ("Suspended", "null")] {
        assert_eq!(versioning(&house, text).await.status, 200);
        assert_eq!(status().await, text);
        let id = put(&house, "/raw/k", "x").await;
        match answered {
            "null" => assert_eq!(id, "null"),
            _ => assert!(id.len() > 10 && id != "null", "{id}"),
        }
    }
    assert_eq!(versioning(&house, "Sometimes").await.status, 400);
    let mfa = "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>";
    for ask in [
        Ask::s3("PUT", "/raw?versioning").body(mfa),
        Ask::s3("DELETE", "/raw/k").header("x-amz-mfa", "serial 123456"),
    ] {
        let refused = house.ask(ask).await;
        assert_eq!(refused.outcome(), (501, "NotImplemented".into()), "{}", refused.text());
    }
    assert_eq!(status().await, "Suspended");
}

#[tokio::test]
async fn reading_and_removing_versions() {
    let house = House::with_bucket().await;
    house.put("/raw/k", "zero").await;
    assert_eq!(versioning(&house, "Enabled").await.status, 200);
    let one = put(&house, "/raw/k", "one").await;
    let two = put(&house, "/raw/k", "two").await;
    for (id, text) in [("null", "zero"), (&one, "one"), (&two, "two")] {
        for method in ["GET", "HEAD"] {
            let got = house.ask(Ask::s3(method, format!("/raw/k?versionId={id}"))).await;
            assert_eq!((got.status.as_u16(), got.header("x-amz-version-id")), (200, id), "{method}");
            assert_eq!(got.text(), if method == "GET" { text } else { "" });
        }
    }
    let part = Ask::s3("GET", format!("/raw/k?versionId={one}")).header("range", "bytes=1-");
    assert_eq!(house.ask(part).await.text(), "ne");
    let named = Ask::s3("GET", format!("/raw/k?attributes&versionId={one}"))
        .header("x-amz-object-attributes", "ETag,ObjectSize");
    let attributes = house.ask(named).await;
    assert_eq!(
        (attributes.header("x-amz-version-id"), attributes.element("ObjectSize")),
        (&one[..], "3".into())
    );

    let deleted = house.ask(Ask::s3("DELETE", "/raw/k")).await;
    let marker = deleted.header("x-amz-version-id").to_owned();
    assert_eq!((deleted.status.as_u16(), deleted.header("x-amz-delete-marker")), (204, "true"));
    for (method, path, status, code) in [
        ("GET", "/raw/k".to_owned(), 404, "NoSuchKey"),
        ("HEAD", "/raw/k".to_owned(), 404, ""),
        ("GET", "/raw/k?tagging".to_owned(), 404, "NoSuchKey"),
        ("GET", format!("/raw/k?versionId={marker}"), 405, "MethodNotAllowed"),
        ("HEAD", format!("/raw/k?versionId={marker}"), 405, ""),
        ("GET", format!("/raw/k?tagging&versionId={marker}"), 405, "MethodNotAllowed"),
    ] {
        let got = house.ask(Ask::s3(method, &path)).await;
        assert_eq!(got.outcome(), (status, code.to_owned()), "{method} {path} {}", got.text());
        assert_eq!(got.header("x-amz-delete-marker"), "true", "{method} {path}");
        assert_eq!(got.header("x-amz-version-id"), marker, "{method} {path}");
        assert_eq!(got.header("content-type"), "application/xml");
    }
    let unknown = "0".repeat(32);
    for (path, status, code) in [
        (format!("/raw/k?versionId={unknown}"), 404, "NoSuchVersion"),
        (format!("/raw/absent?versionId={unknown}"), 404, "NoSuchVersion"),
        (format!("/nowhere/k?versionId={unknown}"), 404, "NoSuchBucket"),
        ("/raw/k?versionId=what".to_owned(), 400, "InvalidArgument"),
        ("/raw/k?versionId=".to_owned(), 400, "InvalidArgument"),
    ] {
        let got = house.ask(Ask::s3("GET", &path)).await;
        assert_eq!(got.outcome(), (status, code.to_owned()), "{path} {}", got.text());
    }
    // Taking the deletion back.
    let back = house.ask(Ask::s3("DELETE", format!("/raw/k?versionId={marker}"))).await;
    assert_eq!(
        (back.status.as_u16(), back.header("x-amz-delete-marker"), back.header("x-amz-version-id")),
        (204, "true", &marker[..])
    );
    assert_eq!(house.ask(Ask::s3("GET", "/raw/k")).await.text(), "two");
    let gone = house.ask(Ask::s3("DELETE", format!("/raw/k?versionId={two}"))).await;
    assert_eq!((gone.header("x-amz-delete-marker"), gone.header("x-amz-version-id")), ("", &two[..]));
    assert_eq!(house.ask(Ask::s3("GET", "/raw/k")).await.header("x-amz-version-id"), one);
    let again = house.ask(Ask::s3("DELETE", format!("/raw/k?versionId={two}"))).await;
    assert_eq!(again.status, 204, "one that is gone counts as removed");
    let conditional = Ask::s3("DELETE", format!("/raw/k?versionId={one}")).header("if-match", "\"x\"");
    assert_eq!(house.ask(conditional).await.outcome(), (501, "NotImplemented".into()));
    assert_eq!(house.ask(Ask::s3("DELETE", "/raw")).await.outcome(), (409, "BucketNotEmpty".into()));
}

#[tokio::test]
async fn copies_uploads_and_tags_of_versions() {
    let house = versioned().await;
    let tagged = Ask::s3("PUT", "/raw/k").header("x-amz-tagging", "n=1").body("one");
    let one = house.ask(tagged).await.header("x-amz-version-id").to_owned();
    let two = put(&house, "/raw/k", "two").await;
    let tags = async |id: &str| house.ask(Ask::s3("GET", format!("/raw/k?tagging&versionId={id}"))).await;
    assert_eq!(
        (tags(&one).await.element("Value"), tags(&two).await.element("Value")),
        ("1".into(), "".into())
    );
    assert_eq!(tags(&one).await.header("x-amz-version-id"), one);
    let body = "<Tagging><TagSet><Tag><Key>n</Key><Value>2</Value></Tag></TagSet></Tagging>";
    let set = house.ask(Ask::s3("PUT", "/raw/k?tagging").body(body)).await;
    assert_eq!((set.status.as_u16(), set.header("x-amz-version-id")), (200, &two[..]));
    assert_eq!(
        (tags(&one).await.element("Value"), tags(&two).await.element("Value")),
        ("1".into(), "2".into())
    );
    // The way to bring an old version back without losing any.
    let source = format!("/raw/k?versionId={one}");
    let copied = house.ask(Ask::s3("PUT", "/raw/k").header("x-amz-copy-source", source)).await;
    assert_eq!(copied.status, 200, "{}", copied.text());
    assert_eq!(copied.header("x-amz-copy-source-version-id"), one);
    let three = copied.header("x-amz-version-id").to_owned();
    let got = house.ask(Ask::s3("GET", "/raw/k")).await;
    assert_eq!((got.text().as_str(), got.header("x-amz-version-id")), ("one", &three[..]));
    assert_eq!(tags(&three).await.element("Value"), "1");
    let removed = house.ask(Ask::s3("DELETE", format!("/raw/k?tagging&versionId={three}"))).await;
    assert_eq!((removed.status.as_u16(), removed.header("x-amz-version-id")), (204, &three[..]));
    assert_eq!(
        (tags(&one).await.element("Value"), tags(&three).await.element("Value")),
        ("1".into(), "".into())
    );

    let begun = house.ask(Ask::s3("POST", "/raw/big?uploads")).await.element("UploadId");
    let source = format!("/raw/k?versionId={two}");
    let part =
        Ask::s3("PUT", format!("/raw/big?partNumber=1&uploadId={begun}")).header("x-amz-copy-source", source);
    let part = house.ask(part).await;
    assert_eq!(part.header("x-amz-copy-source-version-id"), two, "{}", part.text());
    let etag = part.element("ETag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let done = house.ask(Ask::s3("POST", format!("/raw/big?uploadId={begun}")).body(body)).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let got = house.ask(Ask::s3("GET", "/raw/big")).await;
    assert_eq!(
        (got.text().as_str(), got.header("x-amz-version-id")),
        ("two", done.header("x-amz-version-id"))
    );

    let marker = house.ask(Ask::s3("DELETE", "/raw/k")).await.header("x-amz-version-id").to_owned();
    for (source, status, code) in [
        ("/raw/k".to_owned(), 404, "NoSuchKey"),
        (format!("/raw/k?versionId={marker}"), 400, "InvalidRequest"),
        (format!("/raw/k?versionId={}", "0".repeat(32)), 404, "NoSuchVersion"),
    ] {
        let answer = house.ask(Ask::s3("PUT", "/raw/to").header("x-amz-copy-source", &source)).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{source}: {}", answer.text());
    }
}

#[tokio::test]
async fn conditions_look_at_what_is_there_now() {
    let house = versioned().await;
    let etag = house.put("/raw/k", "one").await.header("etag").to_owned();
    house.ask(Ask::s3("DELETE", "/raw/k")).await;
    let replace = |etag: &str| Ask::s3("PUT", "/raw/k").header("if-match", etag).body("two");
    let create = || Ask::s3("PUT", "/raw/k").header("if-none-match", "*").body("three");
    assert_eq!(house.ask(replace(&etag)).await.status, 404);
    assert_eq!(house.ask(create()).await.status, 200);
    assert_eq!(house.ask(create()).await.outcome(), (412, "PreconditionFailed".into()));
    assert_eq!(house.ask(replace(&etag)).await.outcome(), (412, "PreconditionFailed".into()));
    let delete = Ask::s3("DELETE", "/raw/k").header("if-match", &etag);
    assert_eq!(house.ask(delete).await.outcome(), (412, "PreconditionFailed".into()));
    let list = house.ask(Ask::s3("GET", "/raw?versions")).await.text();
    assert_eq!((list.matches("<Version>").count(), list.matches("<DeleteMarker>").count()), (2, 1), "{list}");
}

#[tokio::test]
async fn many_versions_are_deleted_and_listed() {
    let house = versioned().await;
    let one = put(&house, "/raw/a", "one").await;
    put(&house, "/raw/a", "two").await;
    put(&house, "/raw/folder/b", "b").await;
    let body = format!(
        "<Delete><Object><Key>a</Key><VersionId>{one}</VersionId></Object><Object><Key>a</Key></Object>\
         <Object><Key>a</Key><VersionId>wrong!</VersionId></Object></Delete>"
    );
    let done = house.ask(Ask::s3("POST", "/raw?delete").body(body)).await.text();
    assert!(done.contains(&format!("<VersionId>{one}</VersionId>")), "{done}");
    assert!(
        done.contains("<DeleteMarker>true</DeleteMarker>") && done.contains("<VersionId>wrong!</VersionId>"),
        "{done}"
    );
    let marker = done.split("<DeleteMarkerVersionId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let list = house.ask(Ask::s3("GET", "/raw?versions&delimiter=%2F")).await;
    let text = list.text();
    assert_eq!((text.matches("<Version>").count(), text.matches("<DeleteMarker>").count()), (1, 1), "{text}");
    assert!(text.contains("<CommonPrefixes><Prefix>folder/</Prefix></CommonPrefixes>"), "{text}");
    assert_eq!(text.matches("<IsLatest>true</IsLatest>").count(), 1, "{text}");
    let first = house.ask(Ask::s3("GET", "/raw?max-keys=1&versions")).await;
    assert_eq!(first.element("IsTruncated"), "true");
    assert_eq!(
        (first.element("NextKeyMarker"), first.element("NextVersionIdMarker")),
        ("a".into(), marker.clone())
    );
    let next =
        house.ask(Ask::s3("GET", format!("/raw?key-marker=a&version-id-marker={marker}&versions"))).await;
    assert_eq!(next.text().matches("<Version>").count(), 2, "{}", next.text());
    let behind = house.ask(Ask::s3("GET", "/raw?key-marker=a&versions")).await.text();
    assert_eq!(behind.matches("<Version>").count(), 1, "{behind}");
    let lone = house.ask(Ask::s3("GET", format!("/raw?version-id-marker={marker}&versions"))).await;
    assert_eq!(lone.outcome(), (400, "InvalidArgument".into()));
    let body = format!("<Delete><Object><Key>a</Key><VersionId>{marker}</VersionId></Object></Delete>");
    let done = house.ask(Ask::s3("POST", "/raw?delete").body(body)).await.text();
    assert!(done.contains("<DeleteMarker>true</DeleteMarker>"), "{done}");
    assert!(done.contains(&format!("<DeleteMarkerVersionId>{marker}</DeleteMarkerVersionId>")), "{done}");
    assert_eq!(house.ask(Ask::s3("GET", "/raw/a")).await.text(), "two");
}

#[tokio::test]
async fn versions_need_rights_of_their_own() {
    let house = versioned().await;
    let one = put(&house, "/raw/k", "one").await;
    put(&house, "/raw/k", "two").await;
    let delete = format!("<Delete><Object><Key>k</Key><VersionId>{one}</VersionId></Object></Delete>");
    let of_one = format!("/raw/k?versionId={one}");
    let tags = format!("/raw/k?tagging&versionId={one}");
    let (reader, historian) = (("reader", "read"), ("historian", "history"));
    for (key, method, path, status, action) in [
        (reader, "GET", "/raw/k", 200, ""),
        (reader, "GET", &of_one, 403, "s3:GetObjectVersion"),
        (reader, "HEAD", &of_one, 403, ""),
        (reader, "GET", "/raw?versions", 403, "s3:ListBucketVersions"),
        (reader, "DELETE", &of_one, 403, "s3:DeleteObjectVersion"),
        (historian, "GET", "/raw/k", 403, "s3:GetObject"),
        (historian, "GET", &of_one, 200, ""),
        (historian, "GET", "/raw?versions", 200, ""),
        (historian, "GET", &tags, 200, ""),
        (historian, "PUT", &tags, 403, "s3:PutObjectVersionTagging"),
        (historian, "DELETE", "/raw/k", 403, "s3:DeleteObject"),
        (historian, "PUT", "/raw?versioning", 403, "s3:PutBucketVersioning"),
    ] {
        let answer = house.ask(Ask::s3(method, path).key(key.0, key.1)).await;
        assert_eq!(answer.status.as_u16(), status, "{} {method} {path}: {}", key.0, answer.text());
        assert!(answer.text().contains(action), "{} {method} {path}: {}", key.0, answer.text());
    }
    let copy = |source: &str| {
        Ask::s3("PUT", "/raw/copy").header("x-amz-copy-source", source).key(historian.0, historian.1)
    };
    assert_eq!(house.ask(copy(&of_one)).await.status, 200);
    assert_eq!(house.ask(copy("/raw/k")).await.outcome(), (403, "AccessDenied".into()));
    let many = |body: &str| Ask::s3("POST", "/raw?delete").body(body).key(historian.0, historian.1);
    let hidden = house.ask(many("<Delete><Object><Key>k</Key></Object></Delete>")).await.text();
    assert!(hidden.contains("AccessDenied"), "{hidden}");
    let removed = house.ask(many(&delete)).await.text();
    assert!(removed.contains("<Deleted>") && !removed.contains("<Error>"), "{removed}");
}

#[tokio::test]
async fn what_happens_to_versions_is_told() {
    let house = versioned().await;
    let mut heard = house.events.live(Filter::default().under("s3://raw/"));
    let one = put(&house, "/raw/a", "1").await;
    let marker = house.ask(Ask::s3("DELETE", "/raw/a")).await.header("x-amz-version-id").to_owned();
    house.ask(Ask::s3("DELETE", format!("/raw/a?versionId={marker}"))).await;
    house.ask(Ask::s3("DELETE", format!("/raw/a?versionId={one}"))).await;
    for (kind, detail) in [
        ("created", serde_json::json!({ "version": one })),
        ("deleted", serde_json::json!({ "version": marker, "marker": true })),
        ("deleted", serde_json::json!({ "version": marker, "permanent": true })),
        ("created", serde_json::json!({ "restored": true })),
        ("deleted", serde_json::json!({ "version": one, "permanent": true })),
    ] {
        match heard.next().await {
            Some(Live::Event(event)) => {
                assert_eq!((event.kind.as_str(), &event.payload), (&format!("object.{kind}")[..], &detail));
            }
            other => panic!("{other:?} instead of {kind}"),
        }
    }
}
