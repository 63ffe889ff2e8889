"""Clients that belong to traces, at every door. Arguments: names of functions. The trace and the span that a request belongs
to have one number here, so that a test can tell what came of it."""

import http.client
import json
import os
import sys

import boto3
import psycopg

from common import ended, main, wait

TABLE = "shop.orders"
SCRIPT = """
import time
import boto3

athena, glue = boto3.client("athena"), boto3.client("glue")
athena.start_query_execution(QueryString="SELECT 'of the script'", ResultConfiguration={"OutputLocation": "s3://out/"})
glue.start_crawler(Name="found")
while glue.get_crawler(Name="found")["Crawler"]["State"] != "READY":
    time.sleep(0.05)
"""


def header(number, flags="01"):
    return f"00-{number:032x}-{number:016x}-{flags}"


def client(name, traceparent):
    made = boto3.client(name)

    def add(params, **_):
        params["headers"]["traceparent"] = traceparent

    made.meta.events.register("before-call", add)
    return made


def athena():
    for number, traceparent in [(1, header(1)), (2, header(2, "00")), (0, "00-" + "A" * 32 + "-" + "1" * 16 + "-01")]:
        made = client("athena", traceparent)
        text = f"SELECT id FROM {TABLE} WHERE id > {number}"
        started = made.start_query_execution(QueryString=text, ResultConfiguration={"OutputLocation": "s3://out/"})
        assert ended(made, started["QueryExecutionId"])["Status"]["State"] == "SUCCEEDED"


def objects():
    s3 = client("s3", header(3))
    try:
        s3.get_object(Bucket="out", Key="absent")
    except s3.exceptions.NoSuchKey:
        return
    raise AssertionError("it is there")


def job():
    s3, glue = boto3.client("s3"), client("glue", header(4))
    s3.put_object(Bucket="out", Key="script.py", Body=SCRIPT.encode())
    glue.create_crawler(Name="found", Role="r", DatabaseName="shop", Targets={"S3Targets": [{"Path": "s3://raw/"}]})
    glue.create_job(Name="asks", Role="r", Command={"Name": "pythonshell", "ScriptLocation": "s3://out/script.py"})
    run = glue.start_job_run(JobName="asks")["JobRunId"]

    def look():
        found = glue.get_job_run(JobName="asks", RunId=run)["JobRun"]
        return found if found["JobRunState"] not in ("STARTING", "RUNNING", "WAITING") else None

    found = wait(look, 120)
    assert found["JobRunState"] == "SUCCEEDED", found


def delivery():
    firehose = client("firehose", header(5))
    place = {"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::out"}
    firehose.create_delivery_stream(DeliveryStreamName="hose", ExtendedS3DestinationConfiguration=place)
    firehose.delete_delivery_stream(DeliveryStreamName="hose")


def console():
    connection = http.client.HTTPConnection(os.environ["CONSOLE"], timeout=60)

    def ask(path, body, *traceparents):
        text = json.dumps(body).encode()
        connection.putrequest("POST", "/api/" + path)
        for name, value in [("x-glulam", "1"), ("content-length", str(len(text)))]:
            connection.putheader(name, value)
        for traceparent in traceparents:
            connection.putheader("traceparent", traceparent)
        connection.endheaders(text)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    query = {"text": f"SELECT count(*) FROM {TABLE}", "source_name": "<query>", "database": "shop", "parameters": []}
    assert ask("do/start-query", query, header(6))[0] == 200
    panel = {"sql": f"SELECT id, customer FROM {TABLE} ORDER BY id", "database": "shop", "source": "Orders"}
    for again in (False, True):
        status, answer = ask("rows", panel, header(7))
        assert (status, len(answer["rows"]), answer["again"]) == (200, 4, again), answer
    assert ask("rows", {"sql": "SELECT nothing FROM orders", "database": "shop"}, header(8), header(8))[0] == 404


def pg():
    arguments = {"user": "test", "password": "test", "application_name": "tests"}
    with psycopg.connect(os.environ["PG"], autocommit=True, **arguments) as connection:
        text = f"SELECT customer FROM {TABLE} WHERE customer <> %s /*action='x',traceparent='{header(9)}'*/"
        assert len(connection.execute(text, ("hush",)).fetchall()) == 4
        connection.execute(f"/*traceparent='{header(10)}'*/ CREATE TABLE shop.copied AS SELECT id FROM {TABLE}")
        connection.execute(f"SELECT 1 /*traceparent='{header(11, '00')}'*/")
        connection.execute("SHOW search_path")
        connection.execute(f"SELECT relname FROM pg_catalog.pg_class /*traceparent='{header(12)}'*/")
        try:
            connection.execute(f"SELECT nothing FROM {TABLE}")
        except psycopg.errors.UndefinedColumn:
            pass
        with connection.transaction(), connection.cursor("some") as cursor:
            cursor.itersize = 1
            cursor.execute(f"SELECT id FROM {TABLE} ORDER BY id /*traceparent='{header(13)}'*/")
            assert cursor.fetchone() == (1,)


main(globals())
