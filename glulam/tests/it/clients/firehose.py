"""Records put into delivery streams and found again by queries: what a client of Firehose does and expects."""

import base64
import json

import boto3
from common import main, refused, rows, run, wait

ROLE = "arn:aws:iam::123456789012:role/firehose"
BUCKET = "arn:aws:s3:::lake"
AT_ONCE = {"SizeInMBs": 64, "IntervalInSeconds": 0}


def clients():
    return boto3.client("firehose"), boto3.client("s3"), boto3.client("glue"), boto3.client("athena")


def keys(s3, prefix):
    return [o["Key"] for o in s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])]


def lines(s3, key):
    return [json.loads(line) for line in s3.get_object(Bucket="lake", Key=key)["Body"].read().splitlines()]


def buckets():
    s3 = boto3.client("s3")
    for bucket in ("lake", "results"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


def kill():
    """Two delivery streams, one of records put directly, one of a stream's."""
    firehose, s3, _, _ = clients()
    buckets()
    hints = {"SizeInMBs": 1, "IntervalInSeconds": 0}
    plain = {"RoleARN": ROLE, "BucketARN": BUCKET, "BufferingHints": hints}
    firehose.create_delivery_stream(DeliveryStreamName="hose", S3DestinationConfiguration={**plain, "Prefix": "raw/"})
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks", DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks", "RoleARN": ROLE},
        ExtendedS3DestinationConfiguration={**plain, "Prefix": "clicks/"},
    )


def metrics_table(glue):
    glue.create_database(DatabaseInput={"Name": "metrics"})
    columns = [("componentname", "string"), ("metricname", "string"), ("unit", "string"), ("value", "double"),
               ("publicationtimestamp", "timestamp")]
    glue.create_table(DatabaseName="metrics", TableInput={
        "Name": "plain", "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "glulam.register-partitions": "true"},
        "PartitionKeys": [{"Name": k, "Type": "string"} for k in ("year", "month")],
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
            "Location": "s3://lake/metrics/",
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
        },
    })


def parquet():
    """The practice's sixth step: JSON of metrics becomes Parquet of the table, and a query counts it."""
    firehose, s3, glue, athena = clients()
    buckets()
    metrics_table(glue)
    created = firehose.create_delivery_stream(
        DeliveryStreamName="metrics", Tags=[{"Key": "team", "Value": "ops"}],
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE, "BucketARN": BUCKET, "BufferingHints": AT_ONCE,
            "Prefix": "metrics/year=!{timestamp:yyyy}/month=!{timestamp:MM}/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "DataFormatConversionConfiguration": {
                "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "metrics", "TableName": "plain"},
                "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "GZIP"}}},
            },
        },
    )
    assert created["DeliveryStreamARN"] == "arn:aws:firehose:eu-central-1:123456789012:deliverystream/metrics", created
    event = {"componentName": "order-service", "metricName": "cpu", "unit": "percent",
             "publicationTimestamp": "2021-09-09T12:15:02.001Z"}
    for start in (0, 500):
        batch = [{"Data": json.dumps({**event, "value": n + 0.5})} for n in range(start, start + 500)]
        answer = firehose.put_record_batch(DeliveryStreamName="metrics", Records=batch)
        assert answer["FailedPutCount"] == 0 and len(answer["RequestResponses"]) == 500, answer
    assert firehose.put_record(DeliveryStreamName="metrics", Record={"Data": b"no json"})["RecordId"]
    firehose.put_record(DeliveryStreamName="metrics", Record={"Data": b'{"value": "much"}'})

    def counted():
        answer = rows(athena, run(athena, "SELECT count(*), min(value), max(value) FROM metrics.plain"))
        return answer[1] if answer[1][0] == "1000" else None

    assert wait(counted) == ["1000", "0.5", "999.5"]
    stamps = rows(athena, run(athena, "SELECT DISTINCT publicationtimestamp FROM metrics.plain"))
    assert stamps[1] == ["2021-09-09 12:15:02.001"], stamps
    bad = wait(lambda: [line for key in keys(s3, "errors/format-conversion-failed/") for line in lines(s3, key)][1:]
               and [line for key in keys(s3, "errors/format-conversion-failed/") for line in lines(s3, key)])
    raw = sorted(base64.b64decode(line["rawData"]) for line in bad)
    assert raw == [b"no json", b'{"value": "much"}'], bad
    assert {line["lastErrorCode"] for line in bad} == {"DataFormatConversion.MalformedData"}, bad
    partitions = glue.get_partitions(DatabaseName="metrics", TableName="plain")["Partitions"]
    assert len(partitions) == 1 and partitions[0]["StorageDescriptor"]["Location"].startswith("s3://lake/metrics/year=20")


def dynamic():
    """Objects by keys that jq takes out of the records."""
    firehose, s3, _, _ = clients()
    query = '{customer: .customer, day: (.at | strftime("%Y-%m-%d"))}'
    step = lambda kind, **parameters: {"Type": kind, "Parameters": [
        {"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]}
    settings = {
        "RoleARN": ROLE, "BucketARN": BUCKET, "BufferingHints": AT_ONCE,
        "Prefix": "by/customer=!{partitionKeyFromQuery:customer}/day=!{partitionKeyFromQuery:day}/",
        "ErrorOutputPrefix": "by-errors/", "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": {"Enabled": True, "Processors": [
            step("RecordDeAggregation", SubRecordType="JSON"),
            step("MetadataExtraction", MetadataExtractionQuery=query, JsonParsingEngine="JQ-1.6"),
            step("AppendDelimiterToRecord", Delimiter="\\n"),
        ]},
    }
    firehose.create_delivery_stream(DeliveryStreamName="by", ExtendedS3DestinationConfiguration=settings)
    record = lambda customer, n: json.dumps({"customer": customer, "at": 1565382027, "n": n})
    firehose.put_record(DeliveryStreamName="by", Record={"Data": record("a", 1) + record("b", 2) + record("a", 3)})
    firehose.put_record(DeliveryStreamName="by", Record={"Data": '{"customer": null, "at": 0}'})
    found = wait(lambda: keys(s3, "by/customer=a/day=2019-08-09/"))
    assert [line["n"] for line in lines(s3, found[0])] == [1, 3]
    assert wait(lambda: keys(s3, "by/customer=b/day=2019-08-09/"))
    bad = lines(s3, wait(lambda: keys(s3, "by-errors/metadata-extraction-failed/20"))[0])
    assert bad[0]["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed", bad
    lambdas = {**settings, "ProcessingConfiguration": {"Enabled": True, "Processors": [step("Lambda", LambdaArn="a")]}}
    error = refused("InvalidArgumentException", firehose.create_delivery_stream, DeliveryStreamName="x",
                    ExtendedS3DestinationConfiguration=lambdas)
    assert "Lambda" in str(error), error


def control():
    """Describing, listing, changing, tagging, encrypting, deleting; and what is refused."""
    firehose, s3, _, _ = clients()
    stream = firehose.describe_delivery_stream(DeliveryStreamName="metrics")["DeliveryStreamDescription"]
    assert (stream["DeliveryStreamStatus"], stream["DeliveryStreamType"], stream["VersionId"]) == ("ACTIVE", "DirectPut", "1")
    destination = stream["Destinations"][0]
    extended = destination["ExtendedS3DestinationDescription"]
    assert extended["BufferingHints"] == AT_ONCE and extended["S3BackupMode"] == "Disabled", extended
    assert destination["S3DestinationDescription"]["CompressionFormat"] == "UNCOMPRESSED"
    first = firehose.list_delivery_streams(Limit=1)
    assert first["DeliveryStreamNames"] == ["by"] and first["HasMoreDeliveryStreams"], first
    after = firehose.list_delivery_streams(ExclusiveStartDeliveryStreamName="by")
    assert after["DeliveryStreamNames"] == ["metrics"] and not after["HasMoreDeliveryStreams"], after
    change = {"Prefix": "changed/year=!{timestamp:yyyy}/"}
    update = {"DeliveryStreamName": "metrics", "DestinationId": destination["DestinationId"],
              "ExtendedS3DestinationUpdate": change}
    refused("ConcurrentModificationException", firehose.update_destination, CurrentDeliveryStreamVersionId="2", **update)
    firehose.update_destination(CurrentDeliveryStreamVersionId="1", **update)
    stream = firehose.describe_delivery_stream(DeliveryStreamName="metrics")["DeliveryStreamDescription"]
    extended = stream["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (stream["VersionId"], extended["Prefix"]) == ("2", change["Prefix"]), stream
    assert extended["DataFormatConversionConfiguration"]["SchemaConfiguration"]["TableName"] == "plain", extended
    firehose.put_record(DeliveryStreamName="metrics", Record={"Data": b'{"value": 7}'})
    assert wait(lambda: keys(s3, "changed/year=20"))[0].split("/")[-1].startswith("metrics-2-")

    firehose.tag_delivery_stream(DeliveryStreamName="metrics", Tags=[{"Key": "a", "Value": "b"}])
    tags = firehose.list_tags_for_delivery_stream(DeliveryStreamName="metrics")
    assert tags["Tags"] == [{"Key": "a", "Value": "b"}, {"Key": "team", "Value": "ops"}] and not tags["HasMoreTags"], tags
    firehose.untag_delivery_stream(DeliveryStreamName="metrics", TagKeys=["a", "team"])
    assert firehose.list_tags_for_delivery_stream(DeliveryStreamName="metrics")["Tags"] == []
    firehose.start_delivery_stream_encryption(DeliveryStreamName="metrics")
    stream = firehose.describe_delivery_stream(DeliveryStreamName="metrics")["DeliveryStreamDescription"]
    assert stream["DeliveryStreamEncryptionConfiguration"] == {"Status": "ENABLED", "KeyType": "AWS_OWNED_CMK"}, stream
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="metrics")

    plain = {"RoleARN": ROLE, "BucketARN": BUCKET}
    create = firehose.create_delivery_stream
    refused("ResourceInUseException", create, DeliveryStreamName="metrics", S3DestinationConfiguration=plain)
    refused("InvalidArgumentException", create, DeliveryStreamName="x")
    refused("InvalidArgumentException", create, DeliveryStreamName="x", DeliveryStreamType="KinesisStreamAsSource",
            S3DestinationConfiguration=plain, KinesisStreamSourceConfiguration={
                "KinesisStreamARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/none", "RoleARN": ROLE})
    error = refused("InvalidArgumentException", create, DeliveryStreamName="x", HttpEndpointDestinationConfiguration={
        "EndpointConfiguration": {"Url": "https://example.org"}, "S3Configuration": plain})
    assert "HttpEndpointDestinationConfiguration" in str(error), error
    for wrong in ({"Prefix": "!{timestamp:yyyy}/"}, {"BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 900},
                  "CompressionFormat": "ZIP"}, {"Prefix": "a/!{nothing:yyyy}/", "ErrorOutputPrefix": "b/"}):
        refused("InvalidArgumentException", create, DeliveryStreamName="x",
                ExtendedS3DestinationConfiguration={**plain, **wrong})
    refused("ResourceNotFoundException", firehose.put_record, DeliveryStreamName="none", Record={"Data": b"x"})
    refused("InvalidArgumentException", firehose.put_record, DeliveryStreamName="metrics",
            Record={"Data": b"x" * (1000 * 1024 + 1)})
    many = [{"Data": b"x" * 900_000} for _ in range(5)]
    refused("InvalidArgumentException", firehose.put_record_batch, DeliveryStreamName="metrics", Records=many)
    firehose.delete_delivery_stream(DeliveryStreamName="by")
    refused("ResourceNotFoundException", firehose.describe_delivery_stream, DeliveryStreamName="by")
    refused("ResourceNotFoundException", firehose.delete_delivery_stream, DeliveryStreamName="by")


main(globals())
