"""Files are crawled and asked; statements of all sorts, their results, their workgroups."""

import uuid

import boto3
from common import ORDERS, main, refused, rows, run, text, wait


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
    # Pieces of a file overlap by a line.
    assert len(ORDERS) <= execution["Statistics"]["DataScannedInBytes"] < 2 * len(ORDERS), execution["Statistics"]
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
    failed = run(client, "SELECT max(n) FROM lake.big", state="FAILED", WorkGroup="analysts")
    assert "EXCEEDED_LIMIT" in failed["Status"]["StateChangeReason"], failed["Status"]
    run(client, "SELECT max(n) FROM lake.big")
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


main(globals())
