//! Glue's data catalog by its JSON.

use crate::house::{Answer, Ask, House};
use serde_json::{Value, json};

async fn glue(house: &House, operation: &str, body: Value) -> Answer {
    house.ask(Ask::json(&format!("AWSGlue.{operation}"), body)).await
}

async fn done(house: &House, operation: &str, body: Value) -> Value {
    let answer = glue(house, operation, body).await;
    assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    answer.json()
}

fn table(name: &str) -> Value {
    json!({
        "Name": name,
        "Description": "made by a test",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": { "classification": "parquet" },
        "PartitionKeys": [{ "Name": "day", "Type": "string" }],
        "StorageDescriptor": {
            "Columns": [{ "Name": "id", "Type": "bigint" }, { "Name": "tags", "Type": "array<string>", "Comment": "c" }],
            "Location": "s3://raw/t/",
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "SerdeInfo": { "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" },
            "SortColumns": [{ "Column": "id", "SortOrder": 1 }],
        },
    })
}

#[tokio::test]
async fn the_life_of_a_table() {
    let house = House::new().await;
    done(
        &house,
        "CreateDatabase",
        json!({ "DatabaseInput": { "Name": "Shop", "LocationUri": "s3://raw/" } }),
    )
    .await;
    let database = done(&house, "GetDatabase", json!({ "Name": "shop" })).await;
    assert_eq!(database["Database"]["LocationUri"], "s3://raw/");
    assert_eq!(database["Database"]["CreateTime"], 1_777_982_400.0);
    done(&house, "CreateTable", json!({ "DatabaseName": "shop", "TableInput": table("T") })).await;
    let got = done(&house, "GetTable", json!({ "DatabaseName": "shop", "Name": "t" })).await;
    let got = &got["Table"];
    let given = table("t");
    for member in ["Name", "Description", "TableType", "Parameters", "PartitionKeys"] {
        assert_eq!(got[member], given[member], "{member}");
    }
    for member in ["Columns", "Location", "InputFormat", "SortColumns"] {
        assert_eq!(got["StorageDescriptor"][member], given["StorageDescriptor"][member], "{member}");
    }
    assert_eq!((&got["DatabaseName"], &got["VersionId"]), (&json!("shop"), &json!("0")));
    let mut changed = table("t");
    changed["Description"] = json!("changed");
    done(&house, "UpdateTable", json!({ "DatabaseName": "shop", "TableInput": changed, "VersionId": "0" }))
        .await;
    let stale = glue(
        &house,
        "UpdateTable",
        json!({ "DatabaseName": "shop", "TableInput": table("t"), "VersionId": "0" }),
    )
    .await;
    assert_eq!(stale.header("x-amzn-errortype"), "ConcurrentModificationException", "{}", stale.text());
    done(&house, "DeleteTable", json!({ "DatabaseName": "shop", "Name": "t" })).await;
    done(&house, "DeleteDatabase", json!({ "Name": "shop" })).await;
    assert_eq!(done(&house, "GetDatabases", json!({})).await, json!({ "DatabaseList": [] }));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = House::new().await;
    for number in 0..5 {
        let name = format!("d{number}");
        done(&house, "CreateDatabase", json!({ "DatabaseInput": { "Name": name } })).await;
        done(
            &house,
            "CreateTable",
            json!({ "DatabaseName": "d0", "TableInput": { "Name": format!("t{number}") } }),
        )
        .await;
    }
    for (operation, list) in [("GetDatabases", "DatabaseList"), ("GetTables", "TableList")] {
        let (mut names, mut token, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let page =
                done(&house, operation, json!({ "DatabaseName": "d0", "MaxResults": 2, "NextToken": token }))
                    .await;
            names.extend(
                page[list].as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap().to_owned()),
            );
            pages += 1;
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!((names.len(), pages), (5, 3), "{operation}: {names:?}");
    }
    let some = done(&house, "GetTables", json!({ "DatabaseName": "d0", "Expression": "t[12]" })).await;
    assert_eq!(some["TableList"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn partitions() {
    let house = House::new().await;
    done(&house, "CreateDatabase", json!({ "DatabaseInput": { "Name": "shop" } })).await;
    done(&house, "CreateTable", json!({ "DatabaseName": "shop", "TableInput": table("t") })).await;
    let days = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-01"];
    let list: Vec<Value> = days
        .iter()
        .map(|day| json!({ "Values": [day], "StorageDescriptor": { "Location": format!("s3://raw/t/day={day}/") } }))
        .collect();
    let at = |mut more: Value| {
        more["DatabaseName"] = json!("shop");
        more["TableName"] = json!("t");
        more
    };
    let batch = done(&house, "BatchCreatePartition", at(json!({ "PartitionInputList": list }))).await;
    assert_eq!(batch["Errors"][0]["ErrorDetail"]["ErrorCode"], "AlreadyExistsException", "{batch}");
    let found =
        done(&house, "GetPartitions", at(json!({ "Expression": "day > '2026-01-01'", "MaxResults": 1 })))
            .await;
    assert_eq!(found["Partitions"][0]["Values"], json!(["2026-01-02"]));
    assert_eq!(found["Partitions"][0]["StorageDescriptor"]["Location"], "s3://raw/t/day=2026-01-02/");
    let next = at(json!({ "Expression": "day > '2026-01-01'", "NextToken": found["NextToken"] }));
    assert_eq!(done(&house, "GetPartitions", next).await["Partitions"][0]["Values"], json!(["2026-01-03"]));
    done(&house, "DeletePartition", at(json!({ "PartitionValues": ["2026-01-02"] }))).await;
    let gone = glue(&house, "GetPartition", at(json!({ "PartitionValues": ["2026-01-02"] }))).await;
    assert_eq!(gone.header("x-amzn-errortype"), "EntityNotFoundException", "{}", gone.text());
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let house = House::new().await;
    for (operation, body, code, part) in [
        ("GetDatabase", json!({ "Name": "absent" }), "EntityNotFoundException", "absent"),
        ("GetDatabase", json!({}), "ValidationException", "'name'"),
        ("GetDatabases", json!({ "NextToken": "!" }), "InvalidInputException", "NextToken"),
        ("GetDatabases", json!({ "MaxResults": 0 }), "InvalidInputException", "MaxResults"),
        ("CreateDatabase", json!({ "DatabaseInput": { "Name": "" } }), "InvalidInputException", "Name"),
        ("CreateDatabase", json!({ "DatabaseInput": { "Name": 5 } }), "SerializationException", "string"),
        (
            "CreateJob",
            // Another definition around the nodes is not what the policy was asked for.
            json!({ "Name": "mine", "Role": "r", "Command": { "Name": "pythonshell", "ScriptLocation": "s3://b/x" },
                "Job": { "Name": "other" } }),
            "InvalidInputException",
            "Job is not supported",
        ),
        ("CreateTrigger", json!({}), "UnknownOperationException", "GetTables"),
    ] {
        let answer = glue(&house, operation, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-amzn-errortype")),
            (400, code),
            "{}",
            answer.text()
        );
        let body = answer.json();
        assert_eq!(body["__type"], code);
        assert!(body["message"].as_str().unwrap().contains(part), "{operation}: {body}");
    }
}
