"""What the scenarios share: how to wait, ask, read, and expect a refusal."""

import sys
import time

import boto3
from botocore.exceptions import ClientError

ORDERS = """id,customer,amount,day
1,Ada,12.50,2026-01-01
2,"Ada, the second",7.25,2026-01-01
3,Brian,100.00,2026-01-02
4,Dennis,0.05,2026-01-03
"""


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, (code, found, error)
        return error
    raise AssertionError(f"{code} was expected of {call} {arguments}")


def wait(what, seconds=60):
    """Asks until the answer is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it took too long")


def ended(athena, query_id):
    def look():
        execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return execution if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

    return wait(look)


def run(athena, sql, state="SUCCEEDED", **more):
    more.setdefault("ResultConfiguration", {"OutputLocation": "s3://results/athena/"})
    query_id = athena.start_query_execution(QueryString=sql, **more)["QueryExecutionId"]
    execution = ended(athena, query_id)
    assert execution["Status"]["State"] == state, (sql, execution["Status"])
    return execution


def rows(athena, execution, **more):
    result = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"], **more)
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in result["ResultSet"]["Rows"]]


def text(uri):
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def main(scenarios):
    """Carries out the scenarios that are named on the command line."""
    for name in sys.argv[1:]:
        scenarios[name]()
