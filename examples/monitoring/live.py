"""The delivery stream of the live half, made as any client of Firehose makes it; and how far it is.

    live.py make    makes it, if it is not there
    live.py wait N  waits until it has delivered N records
"""

import sys
import time

import boto3

NAME = "measurements"
ROLE = "arn:aws:iam::123456789012:role/any"
STREAM = "arn:aws:kinesis:eu-central-1:123456789012:stream/metrics-stream"


def make(firehose):
    if NAME in firehose.list_delivery_streams()["DeliveryStreamNames"]:
        print(f"the delivery stream {NAME} is there already")
        return
    firehose.create_delivery_stream(
        DeliveryStreamName=NAME,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": STREAM, "RoleARN": ROLE},
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::measurements",
            "Prefix": "data/",
            "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 5},
            # The columns are those of the table; JSON's keys have capitals, the table's columns have none.
            "DataFormatConversionConfiguration": {
                "Enabled": True,
                "SchemaConfiguration": {"DatabaseName": "curated", "TableName": NAME, "RoleARN": ROLE,
                                        "Region": "eu-central-1"},
                "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
            },
        },
    )
    print(f"made the delivery stream {NAME}: metrics-stream -> Parquet in s3://measurements/")


def delivered():
    """How many records the table has, asked as Athena is asked."""
    athena = boto3.client("athena")
    query = athena.start_query_execution(
        QueryString="SELECT count(*) FROM curated.measurements",
        ResultConfiguration={"OutputLocation": "s3://measurements/answers/"},
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] in ("FAILED", "CANCELLED"):
            raise SystemExit(status.get("StateChangeReason", status["State"]))
        time.sleep(0.05)
    return int(athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1]["Data"][0]["VarCharValue"])


def wait(records):
    end = time.monotonic() + 60
    while (found := delivered()) < records:
        if time.monotonic() > end:
            raise SystemExit(f"only {found} of {records} records were delivered within a minute")
        time.sleep(0.5)
    print(f"{found} records delivered")


if sys.argv[1] == "make":
    make(boto3.client("firehose"))
else:
    wait(int(sys.argv[2]))
