//! A right request for each operation of the JSON services, but for its signer.

use crate::house::Ask;
use serde_json::{Value, json};

/// The services, and the part of their targets before the dot.
pub(crate) const TARGETS: [(&str, &str); 6] = [
    ("glue", "AWSGlue"),
    ("athena", "AmazonAthena"),
    ("logs", "Logs_20140328"),
    ("firehose", "Firehose_20150804"),
    ("kinesis", "Kinesis_20131202"),
    ("kinesisanalytics", "KinesisAnalytics_20180523"),
];

/// Everything but Glue's databases, tables and partitions.
pub(crate) fn all() -> Vec<(&'static str, Ask)> {
    let mut all = Vec::new();
    for ((service, target), list) in
        TARGETS.into_iter().zip([glue(), athena(), logs(), firehose(), kinesis(), analytics()])
    {
        for (operation, body) in list {
            all.push((operation, Ask::json_of(service, &format!("{target}.{operation}"), body)));
        }
    }
    all
}

/// A request with these members beside others.
fn with(base: &Value, more: Value) -> Value {
    let mut whole = base.clone();
    if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
        whole.extend(more);
    }
    whole
}

fn glue() -> Vec<(&'static str, Value)> {
    let at = &json!({ "DatabaseName": "d", "TableName": "t" });
    let of = &with(at, json!({ "PartitionValues": ["1"] }));
    let function =
        json!({ "DatabaseName": "d", "FunctionName": "f", "FunctionInput": { "FunctionName": "f" } });
    let connection = json!({ "Name": "c", "ConnectionType": "JDBC", "ConnectionProperties": {} });
    let crawler = json!({ "Name": "c", "Role": "r", "DatabaseName": "d", "Targets": {} });
    let classifier = json!({ "JsonClassifier": { "Name": "c", "JsonPath": "$" } });
    let name = json!({ "Name": "c" });
    let job = json!({ "JobName": "j", "JobUpdate": {}, "RunId": "r", "JobRunIds": [] });
    let arn = json!({ "ResourceArn": "arn:aws:glue:eu-central-1:123456789012:job/j", "TagsToAdd": {},
                      "TagsToRemove": [] });
    let security = json!({ "Name": "s", "EncryptionConfiguration": {} });
    let schedule = json!({ "CrawlerName": "c" });
    let mut all = vec![
        ("BatchDeleteTable", json!({ "DatabaseName": "d", "TablesToDelete": ["t"] })),
        ("GetTableVersion", at.clone()),
        ("GetTableVersions", at.clone()),
        ("DeleteTableVersion", with(at, json!({ "VersionId": "1" }))),
        ("BatchDeleteTableVersion", with(at, json!({ "VersionIds": ["1"] }))),
        ("BatchGetPartition", with(at, json!({ "PartitionsToGet": [] }))),
        (
            "UpdatePartition",
            with(at, json!({ "PartitionValueList": [], "PartitionInput": { "Values": [] } })),
        ),
        ("BatchUpdatePartition", with(at, json!({ "Entries": [] }))),
        ("BatchDeletePartition", with(at, json!({ "PartitionsToDelete": [] }))),
        ("CreatePartitionIndex", with(at, json!({ "PartitionIndex": { "Keys": ["k"], "IndexName": "i" } }))),
        ("GetPartitionIndexes", at.clone()),
        ("DeletePartitionIndex", with(at, json!({ "IndexName": "i" }))),
        ("UpdateColumnStatisticsForTable", with(at, json!({ "ColumnStatisticsList": [] }))),
        ("GetColumnStatisticsForTable", with(at, json!({ "ColumnNames": [] }))),
        ("DeleteColumnStatisticsForTable", with(at, json!({ "ColumnName": "c" }))),
        ("UpdateColumnStatisticsForPartition", with(of, json!({ "ColumnStatisticsList": [] }))),
        ("GetColumnStatisticsForPartition", with(of, json!({ "ColumnNames": [] }))),
        ("DeleteColumnStatisticsForPartition", with(of, json!({ "ColumnName": "c" }))),
        ("GetUserDefinedFunctions", json!({ "Pattern": "*" })),
        ("CreateConnection", json!({ "ConnectionInput": connection })),
        ("UpdateConnection", json!({ "Name": "c", "ConnectionInput": connection })),
        ("GetConnection", name.clone()),
        ("GetConnections", json!({})),
        ("DeleteConnection", json!({ "ConnectionName": "c" })),
        ("BatchDeleteConnection", json!({ "ConnectionNameList": ["c"] })),
        ("GetCrawlers", json!({})),
        ("ListCrawlers", json!({})),
        ("BatchGetCrawlers", json!({ "CrawlerNames": ["c"] })),
        ("GetCrawlerMetrics", json!({})),
        ("GetClassifiers", json!({})),
        ("CreateJob", json!({ "Name": "j", "Role": "r", "Command": {} })),
        ("GetJobs", json!({})),
        ("ListJobs", json!({})),
        ("BatchGetJobs", json!({ "JobNames": ["j"] })),
        ("PutResourcePolicy", json!({ "PolicyInJson": "{}" })),
        ("GetResourcePolicy", json!({})),
        ("GetResourcePolicies", json!({})),
        ("DeleteResourcePolicy", json!({})),
        ("GetSecurityConfigurations", json!({})),
    ];
    for (operations, body) in [
        (
            &[
                "CreateUserDefinedFunction",
                "UpdateUserDefinedFunction",
                "GetUserDefinedFunction",
                "DeleteUserDefinedFunction",
            ][..],
            &function,
        ),
        (&["CreateCrawler", "UpdateCrawler"], &crawler),
        (&["GetCrawler", "DeleteCrawler", "StartCrawler", "StopCrawler"], &name),
        (&["ListCrawls", "StartCrawlerSchedule", "StopCrawlerSchedule", "UpdateCrawlerSchedule"], &schedule),
        (&["CreateClassifier", "UpdateClassifier"], &classifier),
        (&["GetClassifier", "DeleteClassifier"], &name),
        (
            &[
                "UpdateJob",
                "GetJob",
                "DeleteJob",
                "GetJobBookmark",
                "ResetJobBookmark",
                "StartJobRun",
                "GetJobRun",
                "GetJobRuns",
                "BatchStopJobRun",
            ],
            &job,
        ),
        (&["TagResource", "UntagResource", "GetTags"], &arn),
        (
            &["CreateSecurityConfiguration", "GetSecurityConfiguration", "DeleteSecurityConfiguration"],
            &security,
        ),
    ] {
        all.extend(operations.iter().map(|operation| (*operation, body.clone())));
    }
    all
}

fn athena() -> Vec<(&'static str, Value)> {
    let query = json!({ "QueryExecutionId": "01J0000000000000000000000X" });
    let group = json!({ "Name": "g", "WorkGroup": "g" });
    let named = json!({ "NamedQueryId": "n", "Name": "n", "QueryString": "SELECT 1", "Database": "d" });
    let statement = json!({ "StatementName": "s", "WorkGroup": "g", "QueryStatement": "SELECT 1" });
    let catalog = json!({ "Name": "c", "Type": "GLUE" });
    let table = json!({ "CatalogName": "AwsDataCatalog", "DatabaseName": "d", "TableName": "t" });
    let arn = json!({ "ResourceARN": "arn:aws:athena:eu-central-1:123456789012:workgroup/primary", "Tags": [],
                      "TagKeys": [] });
    let results = json!({ "OutputLocation": "s3://raw/" });
    let mut all = vec![
        ("StartQueryExecution", json!({ "QueryString": "SELECT 1", "ResultConfiguration": results })),
        ("BatchGetQueryExecution", json!({ "QueryExecutionIds": [] })),
        ("BatchGetNamedQuery", json!({ "NamedQueryIds": [] })),
        ("BatchGetPreparedStatement", json!({ "PreparedStatementNames": [], "WorkGroup": "g" })),
    ];
    for (operations, body) in [
        (
            &["GetQueryExecution", "GetQueryResults", "GetQueryRuntimeStatistics", "StopQueryExecution"][..],
            &query,
        ),
        (&["CreateWorkGroup", "GetWorkGroup", "UpdateWorkGroup", "DeleteWorkGroup"], &group),
        (&["CreateNamedQuery", "GetNamedQuery", "UpdateNamedQuery", "DeleteNamedQuery"], &named),
        (
            &[
                "CreatePreparedStatement",
                "GetPreparedStatement",
                "UpdatePreparedStatement",
                "DeletePreparedStatement",
                "ListPreparedStatements",
            ],
            &statement,
        ),
        (&["CreateDataCatalog", "GetDataCatalog", "UpdateDataCatalog", "DeleteDataCatalog"], &catalog),
        (&["ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata"], &table),
        (&["TagResource", "UntagResource", "ListTagsForResource"], &arn),
        (
            &[
                "ListQueryExecutions",
                "ListWorkGroups",
                "ListEngineVersions",
                "ListNamedQueries",
                "ListDataCatalogs",
            ],
            &json!({}),
        ),
    ] {
        all.extend(operations.iter().map(|operation| (*operation, body.clone())));
    }
    all
}

fn logs() -> Vec<(&'static str, Value)> {
    let stream = &json!({ "logGroupName": "/aws-glue/jobs/output", "logStreamName": "s" });
    let arn = &json!({ "resourceArn": "arn:aws:logs:eu-central-1:123456789012:log-group:g" });
    let event = json!({ "timestamp": 1, "message": "m" });
    let mut all = vec![
        ("PutLogEvents", with(stream, json!({ "logEvents": [event] }))),
        ("PutRetentionPolicy", with(stream, json!({ "retentionInDays": 1 }))),
        ("TagResource", with(arn, json!({ "tags": { "a": "b" } }))),
        ("UntagResource", with(arn, json!({ "tagKeys": ["a"] }))),
        ("ListTagsForResource", arn.clone()),
        ("TagLogGroup", with(stream, json!({ "tags": { "a": "b" } }))),
        ("UntagLogGroup", with(stream, json!({ "tags": ["a"] }))),
    ];
    for operation in [
        "CreateLogGroup",
        "DeleteLogGroup",
        "DescribeLogGroups",
        "DeleteRetentionPolicy",
        "CreateLogStream",
        "DeleteLogStream",
        "DescribeLogStreams",
        "GetLogEvents",
        "FilterLogEvents",
        "ListTagsLogGroup",
    ] {
        all.push((operation, stream.clone()));
    }
    all
}

fn firehose() -> Vec<(&'static str, Value)> {
    let named = json!({ "DeliveryStreamName": "d" });
    let bucket = json!({ "RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::raw" });
    vec![
        ("CreateDeliveryStream", with(&named, json!({ "S3DestinationConfiguration": bucket }))),
        ("DeleteDeliveryStream", named.clone()),
        ("DescribeDeliveryStream", named.clone()),
        ("ListDeliveryStreams", json!({})),
        (
            "UpdateDestination",
            with(
                &named,
                json!({ "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001" }),
            ),
        ),
        ("PutRecord", with(&named, json!({ "Record": { "Data": "" } }))),
        ("PutRecordBatch", with(&named, json!({ "Records": [{ "Data": "" }] }))),
        ("TagDeliveryStream", with(&named, json!({ "Tags": [] }))),
        ("UntagDeliveryStream", with(&named, json!({ "TagKeys": [] }))),
        ("ListTagsForDeliveryStream", named.clone()),
        ("StartDeliveryStreamEncryption", named.clone()),
        ("StopDeliveryStreamEncryption", named),
    ]
}

fn kinesis() -> Vec<(&'static str, Value)> {
    let stream = &json!({ "StreamName": "s" });
    let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/s";
    let consumer_arn = format!("{arn}/consumer/c:1");
    let of_arn = &json!({ "StreamARN": arn });
    let consumer = json!({ "ConsumerARN": consumer_arn });
    let resource = &json!({ "ResourceARN": arn });
    let key = json!({ "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis" });
    let metrics = json!({ "ShardLevelMetrics": ["ALL"] });
    let hours = json!({ "RetentionPeriodHours": 48 });
    let mut all = vec![
        ("CreateStream", with(stream, json!({ "ShardCount": 1 }))),
        ("ListStreams", json!({})),
        ("DescribeLimits", json!({})),
        ("UpdateStreamMode", with(of_arn, json!({ "StreamModeDetails": { "StreamMode": "ON_DEMAND" } }))),
        (
            "SplitShard",
            with(stream, json!({ "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "9" })),
        ),
        (
            "MergeShards",
            with(
                stream,
                json!({ "ShardToMerge": "shardId-000000000000", "AdjacentShardToMerge": "shardId-000000000001" }),
            ),
        ),
        (
            "UpdateShardCount",
            with(stream, json!({ "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" })),
        ),
        ("RegisterStreamConsumer", with(of_arn, json!({ "ConsumerName": "c" }))),
        ("ListStreamConsumers", of_arn.clone()),
        ("AddTagsToStream", with(stream, json!({ "Tags": { "a": "b" } }))),
        ("RemoveTagsFromStream", with(stream, json!({ "TagKeys": ["a"] }))),
        ("TagResource", with(resource, json!({ "Tags": { "a": "b" } }))),
        ("UntagResource", with(resource, json!({ "TagKeys": ["a"] }))),
        ("ListTagsForResource", resource.clone()),
        (
            "SubscribeToShard",
            with(
                &consumer,
                json!({ "ShardId": "shardId-000000000000", "StartingPosition": { "Type": "LATEST" } }),
            ),
        ),
        ("PutRecord", with(stream, json!({ "Data": "eA==", "PartitionKey": "k" }))),
        ("PutRecords", with(stream, json!({ "Records": [{ "Data": "eA==", "PartitionKey": "k" }] }))),
        (
            "GetShardIterator",
            with(stream, json!({ "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST" })),
        ),
        ("GetRecords", json!({ "ShardIterator": "1:0:0:1:0:s" })),
    ];
    for (operations, body) in [
        (
            &["DeleteStream", "DescribeStream", "DescribeStreamSummary", "ListShards", "ListTagsForStream"][..],
            stream,
        ),
        (&["IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod"], &with(stream, hours)),
        (&["StartStreamEncryption", "StopStreamEncryption"], &with(stream, key)),
        (&["EnableEnhancedMonitoring", "DisableEnhancedMonitoring"], &with(stream, metrics)),
        (&["DeregisterStreamConsumer", "DescribeStreamConsumer"], &consumer),
    ] {
        all.extend(operations.iter().map(|operation| (*operation, body.clone())));
    }
    all
}

fn analytics() -> Vec<(&'static str, Value)> {
    let name = &json!({ "ApplicationName": "a" });
    let snapshot = &with(name, json!({ "SnapshotName": "n" }));
    let arn = &json!({ "ResourceARN": "arn:aws:kinesisanalytics:eu-central-1:123456789012:application/a" });
    let versioned = &with(name, json!({ "CurrentApplicationVersionId": 1 }));
    let log = json!({ "LogStreamARN": "arn:aws:logs:eu-central-1:123456789012:log-group:g:log-stream:s" });
    vec![
        (
            "CreateApplication",
            with(name, json!({ "RuntimeEnvironment": "FLINK-1_20", "ServiceExecutionRole": "r" })),
        ),
        ("DescribeApplication", name.clone()),
        ("ListApplications", json!({})),
        ("DeleteApplication", with(name, json!({ "CreateTimestamp": 1 }))),
        ("UpdateApplication", versioned.clone()),
        ("AddApplicationCloudWatchLoggingOption", with(versioned, json!({ "CloudWatchLoggingOption": log }))),
        (
            "DeleteApplicationCloudWatchLoggingOption",
            with(versioned, json!({ "CloudWatchLoggingOptionId": "1.1" })),
        ),
        ("StartApplication", name.clone()),
        ("StopApplication", name.clone()),
        ("CreateApplicationSnapshot", snapshot.clone()),
        ("DescribeApplicationSnapshot", snapshot.clone()),
        ("ListApplicationSnapshots", name.clone()),
        ("DeleteApplicationSnapshot", with(snapshot, json!({ "SnapshotCreationTimestamp": 1 }))),
        ("TagResource", with(arn, json!({ "Tags": [{ "Key": "a" }] }))),
        ("UntagResource", with(arn, json!({ "TagKeys": ["a"] }))),
        ("ListTagsForResource", arn.clone()),
    ]
}
