"""Steps 1 and 2 of the monitoring practice, with Amazon's own client: a Python-shell job turns CSV files into Parquet
with awswrangler, a table is declared over them, and SQL asks it."""

import time

import boto3
from botocore.exceptions import ClientError

SCRIPT = """
import sys

import awswrangler as wr
from awsglue.utils import getResolvedOptions

args = getResolvedOptions(sys.argv, ["input_loc", "output_loc"])
for path in wr.s3.list_objects(args["input_loc"], suffix=".csv"):
    component = path.rsplit("/", 1)[1].removesuffix(".csv")
    frame = wr.s3.read_csv(path)
    frame = frame.drop(columns=["componentName"])
    wr.s3.to_parquet(frame, path=args["output_loc"] + component + "/", dataset=True)
    print(component, len(frame), "rows")
print("done", file=sys.stderr)
"""

HEADER = "componentName,fromTimestamp,maxValue,metricName,minValue,toTimestamp,unit\n"


def measures(component, count):
    lines = [HEADER]
    for n in range(count):
        start, end = f"2022-09-15T{n % 24:02}:00:00Z", f"2022-09-15T{n % 24:02}:05:00Z"
        lines.append(f"{component},{start},{n + 0.5},{'cpu' if n % 2 else 'ram'},{n},{end},percent\n")
    return "".join(lines).encode()


def ended(read, states):
    end = time.monotonic() + 100
    while time.monotonic() < end:
        found = read()
        if found[0] in states:
            return found
        time.sleep(0.05)
    raise AssertionError("it took too long")


s3, glue, athena, logs = (boto3.client(name) for name in ("s3", "glue", "athena", "logs"))
place = {"LocationConstraint": "eu-central-1"}
for bucket in ("metrics-csv", "metrics-parquet", "scripts", "results"):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
for component, count in (("order-service", 48), ("user-service", 12)):
    s3.put_object(Bucket="metrics-csv", Key=f"{component}.csv", Body=measures(component, count))
s3.put_object(Bucket="scripts", Key="convert.py", Body=SCRIPT.encode())

# Step 1: the job, as a Python shell of a sixteenth of a processing unit.
command = {"Name": "pythonshell", "ScriptLocation": "s3://scripts/convert.py", "PythonVersion": "3.9"}
glue.create_job(
    Name="csv-to-parquet", Role="arn:aws:iam::123456789012:role/glue", Command=command, MaxCapacity=0.0625,
    DefaultArguments={"--input_loc": "s3://metrics-csv/", "--output_loc": "s3://nowhere/"}, Timeout=5,
)
job = glue.get_job(JobName="csv-to-parquet")["Job"]
assert job["Command"] == command and job["MaxCapacity"] == 0.0625, job


def run(**arguments):
    run_id = glue.start_job_run(JobName="csv-to-parquet", **arguments)["JobRunId"]

    def read():
        found = glue.get_job_run(JobName="csv-to-parquet", RunId=run_id)["JobRun"]
        return found["JobRunState"], found

    return ended(read, ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"))[1]


done = run(Arguments={"--output_loc": "s3://metrics-parquet/"})
assert done["JobRunState"] == "SUCCEEDED", done
assert done["LogGroupName"] == "/aws-glue/python-jobs", done


def lines(group):
    stream = {"logGroupName": f"/aws-glue/python-jobs/{group}", "logStreamName": done["Id"]}
    return [event["message"] for event in logs.get_log_events(**stream, startFromHead=True)["events"]]


assert lines("output") == ["order-service 48 rows", "user-service 12 rows"], lines("output")
assert "done" in lines("error"), lines("error")
keys = [o["Key"] for o in s3.list_objects_v2(Bucket="metrics-parquet")["Contents"]]
assert sorted(key.split("/")[0] for key in keys) == ["order-service", "user-service"], keys

# A run that fails says where: Python's error and the script's line.
failed = run(Arguments={"--input_loc": "s3://absent/"})
assert failed["JobRunState"] == "FAILED", failed
assert "NoSuchBucket" in failed["ErrorMessage"] and "convert.py" in failed["ErrorMessage"], failed
try:
    glue.create_job(Name="local", Role="r", Command={"Name": "pythonshell", "ScriptLocation": "/etc/passwd"})
    raise AssertionError("a file of the machine was taken for a script")
except ClientError as error:
    assert error.response["Error"]["Code"] == "InvalidInputException", error


# Step 2: the table by hand, its partitions, and questions.
def ask(sql):
    query = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": "monitoring"},
        ResultConfiguration={"OutputLocation": "s3://results/"},
    )["QueryExecutionId"]

    def read():
        found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        return found["Status"]["State"], found

    state, execution = ended(read, ("SUCCEEDED", "FAILED", "CANCELLED"))
    assert state == "SUCCEEDED", (sql, execution["Status"])
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


ask("CREATE DATABASE IF NOT EXISTS monitoring")
ask(
    "CREATE EXTERNAL TABLE IF NOT EXISTS `monitoring`.`metrics` (`fromTimestamp` string, `maxValue` double, "
    "`metricName` string, `minValue` bigint, `toTimestamp` string, `unit` string) "
    "PARTITIONED BY (`componentName` string) STORED AS PARQUET LOCATION 's3://metrics-parquet/'"
)
ask(
    "ALTER TABLE `metrics` ADD PARTITION (componentname = 'order-service') LOCATION 's3://metrics-parquet/order-service/' "
    "PARTITION (componentname = 'user-service') LOCATION 's3://metrics-parquet/user-service/'"
)
assert sorted(ask("SHOW PARTITIONS metrics")) == [["componentname=order-service"], ["componentname=user-service"]]
found = ask(
    'SELECT "componentName", metricname, count(*) AS n, avg("maxValue") AS mean FROM "metrics" '
    "WHERE componentname = 'order-service' AND fromtimestamp >= '2022-09-15T00' GROUP BY 1, 2 ORDER BY 2"
)
assert found == [
    ["componentname", "metricname", "n", "mean"],
    ["order-service", "cpu", "24", "24.5"],
    ["order-service", "ram", "24", "23.5"],
], found
