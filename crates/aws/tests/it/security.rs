//! Who comes in and what they may do: every operation unsigned, wrongly signed and denied.

use crate::house::{Ask, House};
use chrono::Duration;
use serde_json::json;

/// Every operation that is served, as a request that is right but for its signer. The operation's name in `x-op` stands
/// for the reader only.
fn everything() -> Vec<(&'static str, Ask)> {
    let delete = "<Delete><Object><Key>k</Key></Object></Delete>";
    let complete = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    let copy = |path: &str| Ask::s3("PUT", path).header("x-amz-copy-source", "/raw/k");
    let mut all = vec![
        ("ListBuckets", Ask::s3("GET", "/")),
        ("CreateBucket", Ask::s3("PUT", "/new")),
        ("HeadBucket", Ask::s3("HEAD", "/raw")),
        ("DeleteBucket", Ask::s3("DELETE", "/raw")),
        ("GetBucketLocation", Ask::s3("GET", "/raw?location")),
        ("GetBucketVersioning", Ask::s3("GET", "/raw?versioning")),
        ("ListObjects", Ask::s3("GET", "/raw")),
        ("ListObjectsV2", Ask::s3("GET", "/raw?list-type=2")),
        ("GetObject", Ask::s3("GET", "/raw/k")),
        ("HeadObject", Ask::s3("HEAD", "/raw/k")),
        (
            "GetObjectAttributes",
            Ask::s3("GET", "/raw/k?attributes").header("x-amz-object-attributes", "ETag"),
        ),
        ("PutObject", Ask::s3("PUT", "/raw/k").body("new")),
        ("CopyObject", copy("/raw/copy")),
        ("DeleteObject", Ask::s3("DELETE", "/raw/k")),
        ("DeleteObjects", Ask::s3("POST", "/raw?delete").body(delete)),
        ("CreateMultipartUpload", Ask::s3("POST", "/raw/k?uploads")),
        ("UploadPart", Ask::s3("PUT", "/raw/k?partNumber=1&uploadId=00").body("x")),
        ("UploadPartCopy", copy("/raw/k?partNumber=1&uploadId=00")),
        ("CompleteMultipartUpload", Ask::s3("POST", "/raw/k?uploadId=00").body(complete)),
        ("AbortMultipartUpload", Ask::s3("DELETE", "/raw/k?uploadId=00")),
        ("ListParts", Ask::s3("GET", "/raw/k?uploadId=00")),
        ("ListMultipartUploads", Ask::s3("GET", "/raw?uploads")),
        ("PutBucketTagging", Ask::s3("PUT", "/raw?tagging")),
        ("GetBucketTagging", Ask::s3("GET", "/raw?tagging")),
        ("DeleteBucketTagging", Ask::s3("DELETE", "/raw?tagging")),
        ("PutBucketCors", Ask::s3("PUT", "/raw?cors")),
        ("GetBucketCors", Ask::s3("GET", "/raw?cors")),
        ("DeleteBucketCors", Ask::s3("DELETE", "/raw?cors")),
        ("PutBucketEncryption", Ask::s3("PUT", "/raw?encryption")),
        ("GetBucketEncryption", Ask::s3("GET", "/raw?encryption")),
        ("DeleteBucketEncryption", Ask::s3("DELETE", "/raw?encryption")),
        ("PutBucketOwnershipControls", Ask::s3("PUT", "/raw?ownershipControls")),
        ("GetBucketOwnershipControls", Ask::s3("GET", "/raw?ownershipControls")),
        ("DeleteBucketOwnershipControls", Ask::s3("DELETE", "/raw?ownershipControls")),
        ("PutBucketPolicy", Ask::s3("PUT", "/raw?policy")),
        ("GetBucketPolicy", Ask::s3("GET", "/raw?policy")),
        ("DeleteBucketPolicy", Ask::s3("DELETE", "/raw?policy")),
        ("PutBucketLifecycleConfiguration", Ask::s3("PUT", "/raw?lifecycle")),
        ("GetBucketLifecycleConfiguration", Ask::s3("GET", "/raw?lifecycle")),
        ("DeleteBucketLifecycle", Ask::s3("DELETE", "/raw?lifecycle")),
        ("PutPublicAccessBlock", Ask::s3("PUT", "/raw?publicAccessBlock")),
        ("GetPublicAccessBlock", Ask::s3("GET", "/raw?publicAccessBlock")),
        ("DeletePublicAccessBlock", Ask::s3("DELETE", "/raw?publicAccessBlock")),
        ("PutBucketNotificationConfiguration", Ask::s3("PUT", "/raw?notification")),
        ("GetBucketNotificationConfiguration", Ask::s3("GET", "/raw?notification")),
        ("PutBucketVersioning", Ask::s3("PUT", "/raw?versioning")),
        ("GetBucketAcl", Ask::s3("GET", "/raw?acl")),
        ("PutBucketAcl", Ask::s3("PUT", "/raw?acl")),
        ("GetObjectAcl", Ask::s3("GET", "/raw/k?acl")),
        ("PutObjectAcl", Ask::s3("PUT", "/raw/k?acl")),
        ("GetObjectTagging", Ask::s3("GET", "/raw/k?tagging")),
        ("PutObjectTagging", Ask::s3("PUT", "/raw/k?tagging")),
        ("DeleteObjectTagging", Ask::s3("DELETE", "/raw/k?tagging")),
        ("ListObjectVersions", Ask::s3("GET", "/raw?versions")),
    ];
    for (operation, body) in [
        ("CreateDatabase", json!({ "DatabaseInput": { "Name": "d" } })),
        ("UpdateDatabase", json!({ "Name": "d", "DatabaseInput": { "Name": "d" } })),
        ("GetDatabase", json!({ "Name": "d" })),
        ("GetDatabases", json!({})),
        ("DeleteDatabase", json!({ "Name": "d" })),
        ("CreateTable", json!({ "DatabaseName": "d", "TableInput": { "Name": "t" } })),
        ("UpdateTable", json!({ "DatabaseName": "d", "TableInput": { "Name": "t" } })),
        ("GetTable", json!({ "DatabaseName": "d", "Name": "t" })),
        ("GetTables", json!({ "DatabaseName": "d" })),
        ("DeleteTable", json!({ "DatabaseName": "d", "Name": "t" })),
        (
            "CreatePartition",
            json!({ "DatabaseName": "d", "TableName": "t", "PartitionInput": { "Values": [] } }),
        ),
        ("BatchCreatePartition", json!({ "DatabaseName": "d", "TableName": "t", "PartitionInputList": [] })),
        ("GetPartition", json!({ "DatabaseName": "d", "TableName": "t", "PartitionValues": [] })),
        ("GetPartitions", json!({ "DatabaseName": "d", "TableName": "t" })),
        ("DeletePartition", json!({ "DatabaseName": "d", "TableName": "t", "PartitionValues": [] })),
    ] {
        all.push((operation, Ask::json(&format!("AWSGlue.{operation}"), body)));
    }
    all.extend(crate::operations::all());
    all
}

#[tokio::test]
async fn every_operation_is_closed_to_strangers() {
    let house = House::with_bucket().await;
    house.put("/raw/k", "kept").await;
    // The lists of what is supported name every operation that has to be here.
    let s3 = house.ask(Ask::s3("GET", "/raw?website")).await.element("Message");
    let mut json = Vec::new();
    for (service, target) in crate::operations::TARGETS {
        let answer = house.ask(Ask::json_of(service, &format!("{target}.Nothing"), json!({}))).await.json();
        json.push(answer["message"].as_str().unwrap().to_owned());
    }
    let names = |text: &str| -> Vec<String> {
        text.rsplit(": ").next().unwrap().split(", ").map(str::to_owned).collect()
    };
    let all = everything();
    for name in names(&s3).into_iter().chain(json.iter().flat_map(|text| names(text))) {
        assert!(all.iter().any(|(known, _)| *known == name), "{name} is not tested");
    }
    for (name, ask) in all {
        let is_s3 = ask.service == "s3";
        for (how, answer, code) in [
            (
                "unsigned",
                house.send(ask.clone()).await,
                if is_s3 { "AccessDenied" } else { "MissingAuthenticationTokenException" },
            ),
            (
                "unknown",
                house.ask(ask.clone().key("who", "x")).await,
                if is_s3 { "InvalidAccessKeyId" } else { "UnrecognizedClientException" },
            ),
            (
                "wrong",
                house.ask(ask.clone().key("admin", "x")).await,
                if is_s3 { "SignatureDoesNotMatch" } else { "InvalidSignatureException" },
            ),
            (
                "denied",
                house.ask(ask.clone().key("nobody", "none")).await,
                if is_s3 { "AccessDenied" } else { "AccessDeniedException" },
            ),
        ] {
            let found =
                if is_s3 { answer.element("Code") } else { answer.header("x-amzn-errortype").to_owned() };
            let is_silent = ask.method == "HEAD";
            let is_batch = name == "DeleteObjects" && how == "denied";
            assert!(found == code || is_silent, "{name} {how}: {} {}", answer.status, answer.text());
            assert_eq!(answer.status.is_success(), is_batch, "{name} {how}: {}", answer.text());
        }
    }
    assert_eq!(house.ask(Ask::s3("GET", "/raw/k")).await.text(), "kept");
    assert_eq!(house.ask(Ask::s3("GET", "/raw?list-type=2")).await.element("KeyCount"), "1");
}

#[tokio::test]
async fn a_policy_holds() {
    let house = House::with_bucket().await;
    house.ask(Ask::s3("PUT", "/other")).await;
    for path in ["/raw/k", "/raw/secret/k", "/other/k"] {
        house.put(path, "x").await;
    }
    for (method, path, status) in [
        ("GET", "/raw/k", 200),
        ("GET", "/raw/secret/k", 403),
        ("GET", "/other/k", 403),
        ("GET", "/raw?list-type=2", 200),
        ("GET", "/other?list-type=2", 403),
        ("GET", "/", 403),
        ("PUT", "/raw/k", 403),
        ("DELETE", "/raw/k", 403),
    ] {
        let answer = house.ask(Ask::s3(method, path).key("reader", "read")).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text());
        if status == 403 {
            let text = answer.element("Message");
            assert!(text.contains("arn:aws:iam::123456789012:user/reader") && text.contains("s3:"), "{text}");
        }
    }
    // The source of a copy is read by the caller's own rights.
    let copy = Ask::s3("PUT", "/raw/k").header("x-amz-copy-source", "/other/k").key("reader", "read");
    assert_eq!(house.ask(copy).await.outcome(), (403, "AccessDenied".into()));
    let glue = house.ask(Ask::json("AWSGlue.GetDatabases", json!({})).key("reader", "read")).await;
    assert_eq!(glue.status, 200, "{}", glue.text());
}

#[tokio::test]
async fn presigned_urls() {
    let house = House::with_bucket().await;
    let put = house.presigned("PUT", "/raw/by-url", 600);
    let send = |method: &'static str, path: &str, body: &str| {
        let ask = Ask::s3(method, path.to_owned()).body(body);
        house.send(ask)
    };
    assert_eq!(send("PUT", &put, "from afar").await.status, 200);
    let get = house.presigned("GET", "/raw/by-url", 600);
    assert_eq!(send("GET", &get, "").await.text(), "from afar");
    assert_eq!(send("DELETE", &get, "").await.outcome(), (403, "SignatureDoesNotMatch".into()));
    let other = get.replace("by-url", "other");
    assert_eq!(send("GET", &other, "").await.outcome(), (403, "SignatureDoesNotMatch".into()));
    let longer = get.replace("Expires=600", "Expires=6000");
    assert_eq!(send("GET", &longer, "").await.outcome(), (403, "SignatureDoesNotMatch".into()));
    house.hand.advance(Duration::seconds(601));
    let over = send("GET", &get, "").await;
    assert_eq!(over.outcome(), (403, "AccessDenied".into()));
    assert!(over.text().contains("expired"), "{}", over.text());
}

#[tokio::test]
async fn a_request_cannot_be_sent_again_later() {
    let house = House::with_bucket().await;
    let signed = house.signed(Ask::s3("PUT", "/raw/k").body("x"));
    assert_eq!(house.send(signed.clone()).await.status, 200);
    house.hand.advance(Duration::minutes(16));
    assert_eq!(house.send(signed).await.outcome(), (403, "RequestTimeTooSkewed".into()));
    let mut changed = house.signed(Ask::s3("PUT", "/raw/k").body("x"));
    changed.body = b"y".to_vec();
    assert_eq!(house.send(changed).await.outcome(), (400, "XAmzContentSHA256Mismatch".into()));
    assert_eq!(house.ask(Ask::s3("GET", "/raw/k")).await.text(), "x");
    let added = house.signed(Ask::s3("PUT", "/raw/k").body("z")).header("x-amz-acl", "private");
    assert_eq!(house.send(added).await.outcome(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn who_am_i() {
    let house = House::new().await;
    let ask = |action: &str| {
        let mut ask =
            Ask::s3("POST", "/").header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        ask.service = "sts";
        ask.body(format!("Action={action}&Version=2011-06-15"))
    };
    let me = house.ask(ask("GetCallerIdentity").key("nobody", "none")).await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(me.element("Arn"), "arn:aws:iam::123456789012:user/nobody");
    assert_eq!((me.element("Account"), me.element("UserId")), ("123456789012".into(), "nobody".into()));
    for (action, part) in [("AssumeRoleWithSAML", "access keys"), ("Sing", "GetCallerIdentity")] {
        let refused = house.ask(ask(action)).await;
        assert_eq!(refused.outcome(), (400, "InvalidAction".into()));
        assert!(refused.element("Message").contains(part), "{}", refused.text());
    }
    let wrong = house.ask(ask("GetCallerIdentity").key("admin", "x")).await;
    assert_eq!(wrong.outcome(), (403, "SignatureDoesNotMatch".into()));
    assert_eq!(
        house.send(ask("GetCallerIdentity")).await.outcome(),
        (403, "MissingAuthenticationToken".into())
    );
}

#[tokio::test]
async fn unknown_services_say_what_is_served() {
    let house = House::new().await;
    let mut lambda = Ask::s3("GET", "/2015-03-31/functions");
    lambda.service = "lambda";
    let answer = house.ask(lambda).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-amzn-errortype")),
        (400, "UnknownOperationException")
    );
    let text = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(text.contains("lambda") && text.contains("glue"), "{text}");
    let sqs = Ask::json_of("sqs", "AmazonSQS.ListQueues", json!({}));
    assert_eq!(house.ask(sqs).await.header("x-amzn-errortype"), "UnknownOperationException");
    let policy = Ask::json_of("kinesis", "Kinesis_20131202.PutResourcePolicy", json!({}));
    let refused = house.ask(policy).await;
    assert_eq!(refused.header("x-amzn-errortype"), "UnknownOperationException");
    assert!(refused.text().contains("PutResourcePolicy is not supported"), "{}", refused.text());
    let mut crossed = Ask::json("AWSGlue.GetDatabases", json!({}));
    crossed.service = "athena";
    assert_eq!(house.ask(crossed).await.header("x-amzn-errortype"), "InvalidSignatureException");
}

#[tokio::test]
async fn the_door_closes() {
    let house = House::with_bucket().await;
    house.stop.cancel();
    house.served.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(house.address).await.is_err());
}
