//! Firehose: a delivery stream writes for whoever made it, so that needs the rights.

use crate::house::{Ask, House};
use serde_json::{Value, json};

fn create(name: &str, more: Value) -> Ask {
    let mut settings =
        json!({ "RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::raw" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let body = json!({ "DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": settings });
    Ask::json_of("firehose", "Firehose_20150804.CreateDeliveryStream", body)
}

#[tokio::test]
async fn a_delivery_stream_may_do_what_its_maker_may() {
    let house = House::with_bucket().await;
    let conversion = json!({
        "SchemaConfiguration": { "DatabaseName": "d", "TableName": "t" },
        "InputFormatConfiguration": { "Deserializer": { "OpenXJsonSerDe": {} } },
        "OutputFormatConfiguration": { "Serializer": { "ParquetSerDe": {} } },
    });
    for (name, settings, outcome) in [
        ("a", json!({ "Prefix": "mine/" }), (200, "")),
        ("b", json!({ "Prefix": "mine/!{timestamp:yyyy}/", "ErrorOutputPrefix": "mine/bad/" }), (200, "")),
        ("c", json!({ "Prefix": "other/" }), (400, "AccessDeniedException")),
        ("d", json!({}), (400, "AccessDeniedException")),
        ("e", json!({ "Prefix": "mine/", "ErrorOutputPrefix": "bad/" }), (400, "AccessDeniedException")),
        (
            "f",
            json!({ "Prefix": "mine/", "BucketARN": "arn:aws:s3:::other" }),
            (400, "AccessDeniedException"),
        ),
        (
            "g",
            json!({ "Prefix": "mine/", "DataFormatConversionConfiguration": conversion }),
            (400, "AccessDeniedException"),
        ),
        (
            "h",
            json!({ "Prefix": "mine/", "S3BackupMode": "Enabled",
                    "S3BackupConfiguration": { "BucketARN": "arn:aws:s3:::raw", "Prefix": "all/" } }),
            (400, "AccessDeniedException"),
        ),
    ] {
        let answer = house.ask(create(name, settings.clone()).key("hose", "hose")).await;
        let found = (answer.status.as_u16(), answer.header("x-amzn-errortype"));
        assert_eq!(found, outcome, "{settings}: {}", answer.text());
    }
    let update = |prefix: &str| {
        let body = json!({
            "DeliveryStreamName": "a", "CurrentDeliveryStreamVersionId": "1",
            "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": { "Prefix": prefix },
        });
        Ask::json_of("firehose", "Firehose_20150804.UpdateDestination", body).key("hose", "hose")
    };
    assert_eq!(house.ask(update("other/")).await.header("x-amzn-errortype"), "AccessDeniedException");
    assert_eq!(house.ask(update("mine/more/")).await.status, 200);
}

#[tokio::test]
async fn what_is_refused_leaves_no_delivery_stream() {
    let house = House::with_bucket().await;
    let ask = |more: Value| {
        let mut body = json!({
            "DeliveryStreamName": "late",
            "ExtendedS3DestinationConfiguration": {
                "RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::raw", "Prefix": "mine/",
            },
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Ask::json_of("firehose", "Firehose_20150804.CreateDeliveryStream", body).key("hose", "hose")
    };
    let elsewhere = json!({
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {
            "KinesisStreamARN": "arn:aws:kinesis:eu-central-1:999999999999:stream/clicks",
            "RoleARN": "arn:aws:iam::123456789012:role/r",
        },
    });
    for wrong in [json!({ "Tags": [{ "Key": "k".repeat(129), "Value": "v" }] }), elsewhere] {
        let answer = house.ask(ask(wrong.clone())).await;
        let found = (answer.status.as_u16(), answer.header("x-amzn-errortype"));
        assert_eq!(found, (400, "InvalidArgumentException"), "{wrong}: {}", answer.text());
    }
    let answer = house.ask(ask(json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
