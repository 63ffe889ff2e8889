"""What aws_scenarios.rs has real clients do: whole ways from files to answers. Each function is one of them."""

import json
import sys
import time
import uuid
from decimal import Decimal

import boto3
from botocore.config import Config
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


def crawl():
    """Upload files, crawl them, ask them, and look at everything on the way."""
    s3, glue, athena, logs = (boto3.client(name) for name in ("s3", "glue", "athena", "logs"))
    for bucket in ("sales", "results"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="sales", Key="orders/part-1.csv", Body=ORDERS.encode())
    glue.create_classifier(CsvClassifier={"Name": "commas", "Delimiter": ",", "ContainsHeader": "PRESENT"})
    glue.update_classifier(CsvClassifier={"Name": "commas", "QuoteSymbol": '"'})
    classifier = glue.get_classifier(Name="commas")["Classifier"]["CsvClassifier"]
    assert (classifier["Delimiter"], classifier["QuoteSymbol"], classifier["Version"]) == (",", '"', 2), classifier
    targets = {"S3Targets": [{"Path": "s3://sales/orders/", "Exclusions": ["*.tmp"]}]}
    glue.create_crawler(
        Name="orders", Role="arn:aws:iam::123456789012:role/crawl", DatabaseName="shop", Targets=targets,
        Classifiers=["commas"], Tags={"team": "sales"}, Schedule="cron(0 12 * * ? *)",
        SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
    )
    refused("AlreadyExistsException", glue.create_crawler, Name="orders", Role="r", DatabaseName="shop", Targets=targets)
    jdbc = {"JdbcTargets": [{"ConnectionName": "c", "Path": "db"}]}
    error = refused("InvalidInputException", glue.create_crawler, Name="x", Role="r", DatabaseName="shop", Targets=jdbc)
    assert "JdbcTargets" in str(error), error
    refused("CrawlerNotRunningException", glue.stop_crawler, Name="orders")
    glue.start_crawler(Name="orders")
    crawler = wait(lambda: (c := glue.get_crawler(Name="orders")["Crawler"])["State"] == "READY" and c)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler
    assert crawler["Targets"]["S3Targets"][0]["Exclusions"] == ["*.tmp"], crawler
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    metrics = glue.get_crawler_metrics(CrawlerNameList=["orders"])["CrawlerMetricsList"][0]
    assert metrics["TablesCreated"] == 1, metrics
    crawls = glue.list_crawls(CrawlerName="orders")["Crawls"]
    assert [c["State"] for c in crawls] == ["COMPLETED"], crawls
    assert glue.list_crawlers(Tags={"team": "sales"})["CrawlerNames"] == ["orders"]
    assert glue.list_crawlers(Tags={"team": "other"})["CrawlerNames"] == []
    assert glue.batch_get_crawlers(CrawlerNames=["orders", "none"])["CrawlersNotFound"] == ["none"]
    stream = crawler["LastCrawl"]
    events = logs.get_log_events(
        logGroupName=stream["LogGroup"], logStreamName=stream["LogStream"], startFromHead=True
    )
    assert events["events"] and all(stream["MessagePrefix"] in e["message"] for e in events["events"]), events
    again = logs.get_log_events(
        logGroupName=stream["LogGroup"], logStreamName=stream["LogStream"], nextToken=events["nextForwardToken"]
    )
    assert again["events"] == [] and again["nextForwardToken"] == events["nextForwardToken"]

    # The table is there, and answers.
    columns = glue.get_table(DatabaseName="shop", Name="orders")["Table"]["StorageDescriptor"]["Columns"]
    assert [c["Name"] for c in columns] == ["id", "customer", "amount", "day"], columns
    shop = {"QueryExecutionContext": {"Database": "shop", "Catalog": "AwsDataCatalog"}}
    execution = run(athena, "SELECT id, customer, nullif(id, 2) AS odd FROM orders ORDER BY id", **shop)
    assert rows(athena, execution) == [
        ["id", "customer", "odd"], ["1", "Ada", "1"], ["2", "Ada, the second", None],
        ["3", "Brian", "3"], ["4", "Dennis", "4"],
    ]
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT"), execution
    assert execution["Statistics"]["DataScannedInBytes"] == len(ORDERS), execution["Statistics"]
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://results/athena/{execution['QueryExecutionId']}.csv", location
    assert text(location).splitlines()[:3] == ['"id","customer","odd"', '"1","Ada","1"', '"2","Ada, the second",']
    s3.head_object(Bucket="results", Key=location.removeprefix("s3://results/") + ".metadata")
    runtime = athena.get_query_runtime_statistics(QueryExecutionId=execution["QueryExecutionId"])
    assert runtime["QueryRuntimeStatistics"]["Rows"]["OutputRows"] == 4, runtime

    glue.stop_crawler_schedule(CrawlerName="orders")
    assert glue.get_crawler(Name="orders")["Crawler"]["Schedule"]["State"] == "NOT_SCHEDULED"
    glue.delete_crawler(Name="orders")
    refused("EntityNotFoundException", glue.get_crawler, Name="orders")
    glue.delete_classifier(Name="commas")


def athena():
    """The ways of statements: types, pages, mistakes, tokens, reuse, definitions."""
    client = boto3.client("athena")
    execution = run(
        client,
        "SELECT true AS b, cast(1 AS tinyint) AS t, cast(2 AS smallint) AS s, 3 AS i, cast(4 AS bigint) AS l, cast(1.5 AS real) AS r, "
        "1.5E0 AS d, decimal '12.34' AS dec, 'x' AS c, cast('ab' AS varchar(7)) AS v, date '2026-01-02' AS day, "
        "timestamp '2026-01-02 03:04:05.678' AS ts, array[1, 2] AS a, map(array['k'], array[1]) AS m, "
        "cast(row(1, 'z') AS row(n integer, w varchar)) AS ro, x'00ff' AS bin, json '{\"a\":1}' AS j, null AS n",
    )
    result = client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    info = {c["Name"]: (c["Type"], c["Precision"], c["Scale"], c["CaseSensitive"]) for c in
            result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]}
    expected = {
        "b": ("boolean", 0, 0, False), "t": ("tinyint", 3, 0, False), "s": ("smallint", 5, 0, False),
        "i": ("integer", 10, 0, False), "l": ("bigint", 19, 0, False), "r": ("float", 17, 0, False),
        "d": ("double", 17, 0, False), "dec": ("decimal", 4, 2, False), "c": ("varchar", 1, 0, True),
        "v": ("varchar", 7, 0, True), "day": ("date", 0, 0, False), "ts": ("timestamp", 3, 0, False),
        "a": ("array", 0, 0, False), "m": ("map", 0, 0, False), "ro": ("row", 0, 0, False),
        "bin": ("varbinary", 1073741824, 0, False), "j": ("json", 0, 0, False), "n": ("unknown", 0, 0, False),
    }
    assert info == expected, {k: (info.get(k), v) for k, v in expected.items() if info.get(k) != v}
    assert rows(client, execution)[1] == [
        "true", "1", "2", "3", "4", "1.5", "1.5", "12.34", "x", "ab", "2026-01-02", "2026-01-02 03:04:05.678",
        "[1, 2]", "{k=1}", "{n=1, w=z}", "00 ff", '{"a":1}', None,
    ], rows(client, execution)[1]

    # Pages: the header counts, and nothing is lost or twice.
    many = run(client, "SELECT n FROM unnest(sequence(1, 2500)) AS t(n) ORDER BY n")
    pages = client.get_paginator("get_query_results").paginate(QueryExecutionId=many["QueryExecutionId"])
    pages = [[row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] for page in pages]
    assert [len(page) for page in pages] == [1000, 1000, 501], [len(page) for page in pages]
    assert sum(pages, []) == ["n"] + [str(n) for n in range(1, 2501)]

    # Mistakes: what cannot be read is refused at once, what means nothing fails.
    error = refused("InvalidRequestException", client.start_query_execution, QueryString="SELEC 1",
                    ResultConfiguration={"OutputLocation": "s3://results/athena/"})
    assert "line 1:1" in str(error), error
    failed = run(client, "SELECT\n  nothing FROM shop.orders", state="FAILED")
    reason = failed["Status"]["StateChangeReason"]
    assert reason.startswith("SYNTAX_ERROR: line 2:3: ") and "nothing" in reason, reason
    assert failed["Status"]["AthenaError"]["ErrorCategory"] == 2, failed
    refused("InvalidRequestException", client.get_query_results, QueryExecutionId=failed["QueryExecutionId"])
    refused("InvalidRequestException", client.get_query_execution, QueryExecutionId=str(uuid.uuid4()))
    refused("InvalidRequestException", client.start_query_execution, QueryString="SELECT 1")
    refused("InvalidRequestException", client.start_query_execution, QueryString="SELECT 1",
            ResultConfiguration={"OutputLocation": "s3://nowhere/"})

    # The same token is the same query.
    token = str(uuid.uuid4())
    first = run(client, "SELECT 7", ClientRequestToken=token)
    assert run(client, "SELECT 7", ClientRequestToken=token)["QueryExecutionId"] == first["QueryExecutionId"]
    refused("InvalidRequestException", client.start_query_execution, QueryString="SELECT 8", ClientRequestToken=token,
            ResultConfiguration={"OutputLocation": "s3://results/athena/"})
    # A young result is used again, if that is wanted.
    reuse = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}}
    again = run(client, "SELECT 7", **reuse)
    assert again["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"], again
    assert again["ResultConfiguration"]["OutputLocation"] == first["ResultConfiguration"]["OutputLocation"]
    assert rows(client, again) == [["_col0"], ["7"]]
    # Values for question marks.
    bound = run(client, "SELECT ? AS a, ? AS b", ExecutionParameters=["'it''s'", "42"])
    assert rows(client, bound) == [["a", "b"], ["it's", "42"]]

    # Definitions, and statements that write.
    definition = run(client, "CREATE DATABASE lake")
    assert (definition["StatementType"], rows(client, definition)) == ("DDL", [])
    assert definition["ResultConfiguration"]["OutputLocation"].endswith(".txt")
    made = run(client, "CREATE TABLE lake.copy WITH (external_location = 's3://results/copy/', format = 'PARQUET') "
                       "AS SELECT id, amount FROM shop.orders")
    assert made["SubstatementType"] == "CREATE_TABLE_AS_SELECT", made
    manifest = text(made["Statistics"]["DataManifestLocation"]).split()
    assert manifest and all(line.startswith("s3://results/copy/") for line in manifest), manifest
    result = client.get_query_results(QueryExecutionId=made["QueryExecutionId"])
    assert result["UpdateCount"] == 4 and result["ResultSet"]["Rows"] == [], result
    shown = run(client, "SHOW TABLES IN lake")
    assert rows(client, shown) == [["copy"]] and shown["StatementType"] == "UTILITY"
    assert text(shown["ResultConfiguration"]["OutputLocation"]) == "copy\n"
    described = rows(client, run(client, "DESCRIBE lake.copy"))
    assert [line.split("\t")[0].strip() for (line,) in described] == ["id", "amount"], described

    # Lists.
    ids = client.list_query_executions()["QueryExecutionIds"]
    assert described is not None and first["QueryExecutionId"] in ids and len(ids) == len(set(ids)), ids
    batch = client.batch_get_query_execution(QueryExecutionIds=[first["QueryExecutionId"], "none"])
    assert [e["Query"] for e in batch["QueryExecutions"]] == ["SELECT 7"], batch
    assert [e["QueryExecutionId"] for e in batch["UnprocessedQueryExecutionIds"]] == ["none"]
    names = [d["Name"] for d in client.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    assert "shop" in names and "lake" in names, names
    refused("MetadataException", client.get_table_metadata,
            CatalogName="AwsDataCatalog", DatabaseName="lake", TableName="absent")
    metadata = client.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="lake", TableName="copy")
    assert [c["Name"] for c in metadata["TableMetadata"]["Columns"]] == ["id", "amount"], metadata
    assert metadata["TableMetadata"]["Parameters"]["location"] == "s3://results/copy/"


def workgroups():
    """Settings that hold for all queries of a group, and what is kept in it."""
    client = boto3.client("athena")
    assert client.get_work_group(WorkGroup="primary")["WorkGroup"]["State"] == "ENABLED"
    configuration = {
        "ResultConfiguration": {"OutputLocation": "s3://results/analysts/"},
        "EnforceWorkGroupConfiguration": True, "BytesScannedCutoffPerQuery": 10_000_000,
    }
    client.create_work_group(Name="analysts", Configuration=configuration, Tags=[{"Key": "team", "Value": "a"}])
    refused("InvalidRequestException", client.create_work_group, Name="analysts")
    arn = "arn:aws:athena:eu-central-1:123456789012:workgroup/analysts"
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    client.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    assert [g["Name"] for g in client.list_work_groups()["WorkGroups"]] == ["analysts", "primary"]
    # The group's place wins.
    execution = run(client, "SELECT 1", WorkGroup="analysts")
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/analysts/"), execution
    assert execution["WorkGroup"] == "analysts"
    assert client.list_query_executions(WorkGroup="analysts")["QueryExecutionIds"] == [execution["QueryExecutionId"]]
    # A query that reads too much fails.
    boto3.client("s3").put_object(Bucket="sales", Key="big/big.csv", Body=b"n\n" + b"1234567890123456789\n" * 600_000)
    run(client, "CREATE EXTERNAL TABLE lake.big (n bigint) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
                "LOCATION 's3://sales/big/' TBLPROPERTIES ('skip.header.line.count' = '1')")
    failed = run(client, "SELECT sum(n) FROM lake.big", state="FAILED", WorkGroup="analysts")
    assert "EXCEEDED_LIMIT" in failed["Status"]["StateChangeReason"], failed["Status"]
    run(client, "SELECT sum(n) FROM lake.big")
    # Named queries and prepared statements.
    named = client.create_named_query(Name="one", Database="shop", QueryString="SELECT 1", WorkGroup="analysts")
    assert client.get_named_query(NamedQueryId=named["NamedQueryId"])["NamedQuery"]["Name"] == "one"
    assert client.list_named_queries(WorkGroup="analysts")["NamedQueryIds"] == [named["NamedQueryId"]]
    assert client.list_named_queries()["NamedQueryIds"] == []
    client.create_prepared_statement(StatementName="add", WorkGroup="analysts", QueryStatement="SELECT ? + ? AS sum")
    result = run(client, "EXECUTE add USING 2, 3", WorkGroup="analysts")
    assert rows(client, result) == [["sum"], ["5"]], rows(client, result)
    run(client, "EXECUTE add USING 2, 3", state="FAILED")
    refused("ResourceNotFoundException", client.get_prepared_statement, StatementName="none", WorkGroup="analysts")
    refused("InvalidRequestException", client.delete_work_group, WorkGroup="analysts")
    client.update_work_group(WorkGroup="analysts", State="DISABLED", ConfigurationUpdates={
        "RemoveBytesScannedCutoffPerQuery": True, "ResultConfigurationUpdates": {"OutputLocation": "s3://results/b/"}})
    group = client.get_work_group(WorkGroup="analysts")["WorkGroup"]
    assert group["State"] == "DISABLED" and "BytesScannedCutoffPerQuery" not in group["Configuration"], group
    assert group["Configuration"]["ResultConfiguration"]["OutputLocation"] == "s3://results/b/"
    refused("InvalidRequestException", client.start_query_execution, QueryString="SELECT 1", WorkGroup="analysts")
    client.delete_work_group(WorkGroup="analysts", RecursiveDeleteOption=True)
    refused("InvalidRequestException", client.get_work_group, WorkGroup="analysts")
    refused("InvalidRequestException", client.get_named_query, NamedQueryId=named["NamedQueryId"])
    # Catalogs.
    client.create_data_catalog(Name="other_name", Type="GLUE", Parameters={"catalog-id": "123456789012"})
    names = [d["Name"] for d in client.list_databases(CatalogName="other_name")["DatabaseList"]]
    assert "shop" in names, names
    error = refused("InvalidRequestException", client.create_data_catalog, Name="f", Type="LAMBDA", Parameters={})
    assert "LAMBDA" in str(error)
    client.delete_data_catalog(Name="other_name")
    refused("InvalidRequestException", client.start_query_execution, QueryString="SELECT 1",
            QueryExecutionContext={"Catalog": "other_name"}, ResultConfiguration={"OutputLocation": "s3://results/"})


def job():
    """A visual job through Glue's own operations, its runs, bookmark and log."""
    s3, glue, logs = (boto3.client(name) for name in ("s3", "glue", "logs"))
    nodes = {
        "source": {"S3CsvSource": {"Name": "orders", "Paths": ["s3://sales/orders/"], "Separator": "comma",
                                   "QuoteChar": "quote", "WithHeader": True}},
        "typed": {"ApplyMapping": {"Name": "types", "Inputs": ["source"], "Mapping": [
            {"FromPath": ["id"], "FromType": "string", "ToKey": "id", "ToType": "bigint"},
            {"FromPath": ["amount"], "FromType": "string", "ToKey": "amount", "ToType": "double"}]}},
        "target": {"S3DirectTarget": {"Name": "lines", "Inputs": ["typed"], "Path": "s3://results/job/",
                                      "Format": "json"}},
    }
    script = {"Name": "pythonshell", "ScriptLocation": "s3://sales/script.py"}
    error = refused("InvalidInputException", glue.create_job, Name="script", Role="r", Command=script)
    assert "pythonshell" in str(error), error
    command = {"Name": "glueetl", "ScriptLocation": "s3://sales/unused.py"}
    glue.create_job(
        Name="typed", Role="arn:aws:iam::123456789012:role/job", Command=command, CodeGenConfigurationNodes=nodes,
        GlueVersion="5.0", WorkerType="G.1X", NumberOfWorkers=2, Tags={"team": "sales"},
        DefaultArguments={"--job-bookmark-option": "job-bookmark-enable"},
    )
    refused("AlreadyExistsException", glue.create_job, Name="typed", Role="r", Command=command,
            CodeGenConfigurationNodes=nodes)
    kept = glue.get_job(JobName="typed")["Job"]
    assert kept["CodeGenConfigurationNodes"] == nodes and kept["WorkerType"] == "G.1X", kept
    assert glue.list_jobs(Tags={"team": "sales"})["JobNames"] == ["typed"]
    refused("EntityNotFoundException", glue.start_job_run, JobName="none")
    refused("EntityNotFoundException", glue.get_job_bookmark, JobName="typed")

    def finished(run_id):
        def look():
            found = glue.get_job_run(JobName="typed", RunId=run_id)["JobRun"]
            return found if found["JobRunState"] in ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT") else None

        return wait(look)

    first = finished(glue.start_job_run(JobName="typed", Arguments={"--note": "first"})["JobRunId"])
    assert first["JobRunState"] == "SUCCEEDED", first
    assert (first["Arguments"], first["WorkerType"]) == ({"--note": "first"}, "G.1X"), first

    def written():
        found = s3.list_objects_v2(Bucket="results", Prefix="job/").get("Contents", [])
        return [json.loads(line) for o in found for line in text(f"s3://results/{o['Key']}").splitlines()]

    assert sorted(row["id"] for row in written()) == [1, 2, 3, 4], written()
    # With the bookmark there is nothing new, until it is set back.
    second = finished(glue.start_job_run(JobName="typed")["JobRunId"])
    assert second["JobRunState"] == "SUCCEEDED" and len(written()) == 4, second
    entry = glue.get_job_bookmark(JobName="typed")["JobBookmarkEntry"]
    assert entry["RunId"] == first["Id"] and json.loads(entry["JobBookmark"])["source"]["files"] == 1, entry
    glue.reset_job_bookmark(JobName="typed")
    third = finished(glue.start_job_run(JobName="typed")["JobRunId"])
    assert third["JobRunState"] == "SUCCEEDED" and len(written()) == 8, third
    runs = glue.get_job_runs(JobName="typed")["JobRuns"]
    assert [r["Id"] for r in runs] == [third["Id"], second["Id"], first["Id"]], runs
    stopped = glue.batch_stop_job_run(JobName="typed", JobRunIds=[first["Id"], "none"])
    assert len(stopped["Errors"]) == 2, stopped
    # Its log, by stream and by word.
    streams = logs.describe_log_streams(logGroupName="/aws-glue/jobs/output")["logStreams"]
    assert {first["Id"], second["Id"], third["Id"]} == {s["logStreamName"] for s in streams}, streams
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws-glue/jobs/output", logStreamNames=[second["Id"]])
    messages = [e["message"] for page in pages for e in page["events"]]
    assert any("nothing" in m or "new" in m for m in messages), messages
    refused("ResourceNotFoundException", logs.get_log_events, logGroupName="/aws-glue/none", logStreamName="x")
    # A job whose source is gone fails, and says why.
    nodes["source"]["S3CsvSource"]["Paths"] = ["s3://sales/absent/"]
    glue.update_job(JobName="typed", JobUpdate={"Role": "r", "Command": command, "CodeGenConfigurationNodes": nodes})
    try:
        failed = finished(glue.start_job_run(JobName="typed")["JobRunId"])
        assert failed["JobRunState"] == "FAILED" and "absent" in failed["ErrorMessage"], failed
    except ClientError as error:
        assert "absent" in str(error), error
    glue.delete_job(JobName="typed")
    glue.delete_job(JobName="typed")
    refused("EntityNotFoundException", glue.get_job, JobName="typed")


def catalog():
    """Versions, partitions many at once, indexes, statistics, functions, connections, settings."""
    glue = boto3.client("glue")
    at = {"DatabaseName": "shop", "TableName": "logs"}
    column = {"Name": "line", "Type": "string"}
    table = {"Name": "logs", "PartitionKeys": [{"Name": "day", "Type": "string"}],
             "StorageDescriptor": {"Columns": [column], "Location": "s3://sales/logs/"}}
    glue.create_table(DatabaseName="shop", TableInput=table)
    table["StorageDescriptor"]["Columns"].append({"Name": "level", "Type": "int"})
    glue.update_table(DatabaseName="shop", TableInput=table)
    versions = glue.get_table_versions(**at)["TableVersions"]
    assert [len(v["Table"]["StorageDescriptor"]["Columns"]) for v in versions] == [2, 1], versions
    old = versions[1]["VersionId"]
    assert glue.get_table_version(**at, VersionId=old)["TableVersion"]["VersionId"] == old
    glue.delete_table_version(**at, VersionId=old)
    assert glue.batch_delete_table_version(**at, VersionIds=[old])["Errors"][0]["VersionId"] == old
    days = [f"2026-01-{n:02}" for n in range(1, 6)]
    made = glue.batch_create_partition(**at, PartitionInputList=[{"Values": [day]} for day in days])
    assert made["Errors"] == [], made
    got = glue.batch_get_partition(**at, PartitionsToGet=[{"Values": [days[0]]}, {"Values": ["none"]}])
    assert [p["Values"] for p in got["Partitions"]] == [[days[0]]], got
    glue.update_partition(**at, PartitionValueList=[days[0]],
                          PartitionInput={"Values": [days[0]], "Parameters": {"k": "v"}})
    assert glue.get_partition(**at, PartitionValues=[days[0]])["Partition"]["Parameters"] == {"k": "v"}
    changed = glue.batch_update_partition(**at, Entries=[
        {"PartitionValueList": [days[1]], "PartitionInput": {"Values": ["2026-02-01"]}},
        {"PartitionValueList": ["none"], "PartitionInput": {"Values": ["none"]}}])
    assert [e["PartitionValueList"] for e in changed["Errors"]] == [["none"]], changed
    gone = glue.batch_delete_partition(**at, PartitionsToDelete=[{"Values": [days[2]]}, {"Values": ["none"]}])
    assert [e["PartitionValues"] for e in gone["Errors"]] == [["none"]], gone
    left = [p["Values"][0] for p in glue.get_partitions(**at)["Partitions"]]
    assert left == [days[0], days[3], days[4], "2026-02-01"], left
    glue.create_partition_index(**at, PartitionIndex={"Keys": ["day"], "IndexName": "by_day"})
    index = glue.get_partition_indexes(**at)["PartitionIndexDescriptorList"][0]
    assert (index["IndexName"], index["IndexStatus"], index["Keys"]) == (
        "by_day", "ACTIVE", [{"Name": "day", "Type": "string"}]), index
    glue.delete_partition_index(**at, IndexName="by_day")
    statistics = {"ColumnName": "level", "ColumnType": "int", "AnalyzedTime": 1_700_000_000, "StatisticsData": {
        "Type": "LONG", "LongColumnStatisticsData": {
            "MinimumValue": 1, "MaximumValue": 5, "NumberOfNulls": 0, "NumberOfDistinctValues": 5}}}
    assert glue.update_column_statistics_for_table(**at, ColumnStatisticsList=[statistics])["Errors"] == []
    found = glue.get_column_statistics_for_table(**at, ColumnNames=["level"])["ColumnStatisticsList"][0]
    assert found["StatisticsData"] == statistics["StatisticsData"], found
    glue.delete_column_statistics_for_table(**at, ColumnName="level")
    function = {"FunctionName": "mask", "ClassName": "org.Mask", "OwnerName": "me", "OwnerType": "USER",
                "ResourceUris": [{"ResourceType": "JAR", "Uri": "s3://sales/mask.jar"}]}
    glue.create_user_defined_function(DatabaseName="shop", FunctionInput=function)
    found = glue.get_user_defined_functions(DatabaseName="shop", Pattern="ma*")["UserDefinedFunctions"]
    assert [f["ClassName"] for f in found] == ["org.Mask"], found
    glue.delete_user_defined_function(DatabaseName="shop", FunctionName="mask")
    connection = {"Name": "pg", "ConnectionType": "JDBC",
                  "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://h/d", "PASSWORD": "secret"}}
    glue.create_connection(ConnectionInput=connection)
    hidden = glue.get_connection(Name="pg", HidePassword=True)["Connection"]["ConnectionProperties"]
    assert "PASSWORD" not in hidden, hidden
    assert glue.get_connection(Name="pg")["Connection"]["ConnectionProperties"]["PASSWORD"] == "secret"
    assert glue.batch_delete_connection(ConnectionNameList=["pg", "none"])["Succeeded"] == ["pg"]
    encryption = {"S3Encryption": [{"S3EncryptionMode": "SSE-S3"}]}
    glue.create_security_configuration(Name="s", EncryptionConfiguration=encryption)
    kept = glue.get_security_configuration(Name="s")["SecurityConfiguration"]
    assert kept["EncryptionConfiguration"] == encryption, kept
    glue.delete_security_configuration(Name="s")
    refused("EntityNotFoundException", glue.get_resource_policy)
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    put = glue.put_resource_policy(PolicyInJson=policy, PolicyExistsCondition="NOT_EXIST")["PolicyHash"]
    assert glue.get_resource_policy()["PolicyHash"] == put
    refused("ConditionCheckFailureException", glue.delete_resource_policy, PolicyHashCondition="other")
    glue.delete_resource_policy(PolicyHashCondition=put)
    gone = glue.batch_delete_table(DatabaseName="shop", TablesToDelete=["logs", "none"])
    assert [e["TableName"] for e in gone["Errors"]] == ["none"], gone


def wrangler():
    """awswrangler reads by each of its ways, and writes a table."""
    import awswrangler as wr
    import pandas as pd

    where = {"database": "shop", "s3_output": "s3://results/wr/", "workgroup": "primary"}
    sql = "SELECT id, customer, cast(amount AS decimal(10, 2)) AS amount FROM orders ORDER BY id"
    for way in ({"ctas_approach": False}, {"ctas_approach": True},
                {"ctas_approach": False, "unload_approach": True, "s3_output": "s3://results/wr-unload/"}):
        frame = wr.athena.read_sql_query(sql, **{**where, **way})
        frame = frame.sort_values("id", ignore_index=True)
        assert list(frame["id"]) == [1, 2, 3, 4], (way, frame)
        assert list(frame["amount"]) == [Decimal("12.50"), Decimal("7.25"), Decimal("100.00"), Decimal("0.05")], frame
        assert frame["customer"][1] == "Ada, the second", frame
    chunks = list(wr.athena.read_sql_query("SELECT id FROM orders", ctas_approach=False, chunksize=3, **where))
    assert [len(chunk) for chunk in chunks] == [3, 1], chunks
    frame = pd.DataFrame({"k": [1, 2, 3], "v": ["a", None, "c"], "day": ["x", "x", "y"]})
    wr.s3.to_parquet(frame, path="s3://results/frame/", dataset=True, database="shop", table="frame",
                     partition_cols=["day"])
    back = wr.athena.read_sql_query("SELECT * FROM frame ORDER BY k", ctas_approach=False, **where)
    assert list(back["k"]) == [1, 2, 3] and back["v"].isna().tolist() == [False, True, False], back
    assert list(back["day"]) == ["x", "x", "y"], back
    described = wr.athena.describe_table(table="orders", database="shop", s3_output="s3://results/wr/")
    assert list(described["Column Name"]) == ["id", "customer", "amount", "day"], described
    try:
        wr.athena.read_sql_query("SELECT nothing FROM orders", ctas_approach=False, **where)
        raise AssertionError("a wrong query was answered")
    except wr.exceptions.QueryFailed as error:
        assert "nothing" in str(error), error
    assert "frame" in list(wr.catalog.tables(database="shop")["Table"])


def pyathena():
    """PyAthena's plain cursor, its dictionary cursor, and the one that reads the CSV by Arrow."""
    from pyathena import connect
    from pyathena.cursor import DictCursor
    from pyathena.error import OperationalError
    from pyathena.pandas.cursor import PandasCursor

    connection = connect(s3_staging_dir="s3://results/py/", region_name="eu-central-1", schema_name="shop")
    cursor = connection.cursor()
    cursor.execute("SELECT id, customer, DATE '2026-01-02' AS day, 1.50 AS price, id = 2 AS is_two FROM orders ORDER BY id")
    assert [column[:2] for column in cursor.description] == [
        ("id", "bigint"), ("customer", "varchar"), ("day", "date"), ("price", "decimal"), ("is_two", "boolean"),
    ], cursor.description
    found = cursor.fetchall()
    assert found[1][0] == 2 and found[1][3] == Decimal("1.50") and found[1][4] is True, found
    assert len(found) == 4 and str(found[0][2]) == "2026-01-02"
    cursor.execute("SELECT %(name)s AS name", {"name": "it's"})
    assert cursor.fetchone() == ("it's",)
    dictionary = connection.cursor(DictCursor).execute("SELECT max(id) AS most FROM orders").fetchone()
    assert dictionary == {"most": 4}, dictionary
    frame = connection.cursor(PandasCursor).execute("SELECT id, customer FROM orders ORDER BY id").as_pandas()
    assert list(frame["id"]) == [1, 2, 3, 4], frame
    cursor.execute("SHOW TABLES")
    assert ("orders",) in cursor.fetchall()
    try:
        cursor.execute("SELECT nothing FROM orders")
        raise AssertionError("a wrong query was answered")
    except OperationalError as error:
        assert "nothing" in str(error), error


def kept():
    """What must survive a restart."""
    client = boto3.client("athena")
    if sys.argv[2:] == ["before"]:
        client.create_work_group(Name="lasting", Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://results/lasting/"}})
        client.create_named_query(Name="n", Database="shop", QueryString="SELECT 5", WorkGroup="lasting")
        execution = run(client, "SELECT 5 AS five", WorkGroup="lasting", ClientRequestToken="t" * 32)
        print(execution["QueryExecutionId"])
        return
    execution = run(client, "SELECT 5 AS five", WorkGroup="lasting", ClientRequestToken="t" * 32)
    print(execution["QueryExecutionId"])
    assert rows(client, execution) == [["five"], ["5"]]
    assert len(client.list_named_queries(WorkGroup="lasting")["NamedQueryIds"]) == 1


# What is served, of what the clients call. What is not here is refused by its name.
SERVED = {
    "athena": """StartQueryExecution GetQueryExecution GetQueryResults GetQueryRuntimeStatistics StopQueryExecution
        BatchGetQueryExecution ListQueryExecutions CreateWorkGroup GetWorkGroup UpdateWorkGroup DeleteWorkGroup
        ListWorkGroups ListDatabases GetDatabase ListTableMetadata GetTableMetadata CreateDataCatalog GetDataCatalog
        UpdateDataCatalog DeleteDataCatalog ListDataCatalogs CreatePreparedStatement GetPreparedStatement
        UpdatePreparedStatement DeletePreparedStatement ListPreparedStatements BatchGetPreparedStatement
        CreateNamedQuery GetNamedQuery BatchGetNamedQuery UpdateNamedQuery DeleteNamedQuery ListNamedQueries TagResource
        UntagResource ListTagsForResource ListEngineVersions""",
    "glue": """CreateDatabase GetDatabase UpdateDatabase DeleteDatabase GetDatabases CreateTable GetTable UpdateTable
        DeleteTable GetTables BatchDeleteTable GetTableVersion GetTableVersions DeleteTableVersion
        BatchDeleteTableVersion CreatePartition GetPartition UpdatePartition DeletePartition BatchCreatePartition
        BatchGetPartition BatchUpdatePartition BatchDeletePartition GetPartitions CreatePartitionIndex
        GetPartitionIndexes DeletePartitionIndex GetColumnStatisticsForTable UpdateColumnStatisticsForTable
        DeleteColumnStatisticsForTable GetColumnStatisticsForPartition UpdateColumnStatisticsForPartition
        DeleteColumnStatisticsForPartition CreateConnection GetConnection GetConnections UpdateConnection
        DeleteConnection BatchDeleteConnection CreateUserDefinedFunction GetUserDefinedFunction
        GetUserDefinedFunctions UpdateUserDefinedFunction DeleteUserDefinedFunction CreateCrawler GetCrawler
        UpdateCrawler DeleteCrawler StartCrawler StopCrawler GetCrawlers ListCrawlers BatchGetCrawlers
        GetCrawlerMetrics ListCrawls StartCrawlerSchedule StopCrawlerSchedule UpdateCrawlerSchedule CreateClassifier
        GetClassifier GetClassifiers UpdateClassifier DeleteClassifier CreateJob GetJob UpdateJob DeleteJob GetJobs
        ListJobs BatchGetJobs StartJobRun GetJobRun GetJobRuns BatchStopJobRun GetJobBookmark ResetJobBookmark
        GetTags TagResource UntagResource PutResourcePolicy GetResourcePolicy GetResourcePolicies
        DeleteResourcePolicy CreateSecurityConfiguration GetSecurityConfiguration GetSecurityConfigurations
        DeleteSecurityConfiguration""",
    "logs": "DescribeLogGroups DescribeLogStreams GetLogEvents FilterLogEvents",
}


def operations():
    """Every operation that the client's own models know is served, or refused by its name."""
    # Parameters are not checked before they are sent, and failures are not tried again.
    config = Config(parameter_validation=False, retries={"max_attempts": 1})
    for service, names in SERVED.items():
        client = boto3.client(service, config=config)
        known = set(client.meta.service_model.operation_names)
        served = set(names.split())
        assert served <= known, served - known
        for operation in sorted(known):
            try:
                client._make_api_call(operation, {})
                code, message = "", ""
            except ClientError as error:
                code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            except Exception as error:  # a stream, or a host of its own: not sent in this protocol
                assert operation not in served, (operation, error)
                continue
            if operation in served:
                assert code != "UnknownOperationException", (service, operation)
                assert not code.startswith("Internal"), (service, operation, message)
            else:
                assert code == "UnknownOperationException", (service, operation, code, message)
                assert operation in message, (service, operation, message)


globals()[sys.argv[1]]()
