"""Visual jobs, the rest of Glue's catalog, and which operations are served."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from common import main, refused, text, wait


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
    script = {"Name": "glueray", "ScriptLocation": "s3://sales/script.py"}
    error = refused("InvalidInputException", glue.create_job, Name="script", Role="r", Command=script)
    assert "`glueray`" in str(error) and "pythonshell" in str(error), error
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
    "logs": """CreateLogGroup DeleteLogGroup DescribeLogGroups PutRetentionPolicy DeleteRetentionPolicy CreateLogStream
        DeleteLogStream DescribeLogStreams PutLogEvents GetLogEvents FilterLogEvents TagResource UntagResource
        ListTagsForResource TagLogGroup UntagLogGroup ListTagsLogGroup""",
    "kinesis": """CreateStream DeleteStream DescribeStream DescribeStreamSummary ListStreams UpdateStreamMode
        IncreaseStreamRetentionPeriod DecreaseStreamRetentionPeriod StartStreamEncryption StopStreamEncryption
        EnableEnhancedMonitoring DisableEnhancedMonitoring DescribeLimits ListShards SplitShard MergeShards
        UpdateShardCount RegisterStreamConsumer DeregisterStreamConsumer DescribeStreamConsumer ListStreamConsumers
        AddTagsToStream RemoveTagsFromStream ListTagsForStream TagResource UntagResource ListTagsForResource
        SubscribeToShard PutRecord PutRecords GetShardIterator GetRecords""",
    "kinesisanalyticsv2": """CreateApplication DescribeApplication ListApplications DeleteApplication UpdateApplication
        AddApplicationCloudWatchLoggingOption DeleteApplicationCloudWatchLoggingOption StartApplication StopApplication
        CreateApplicationSnapshot DescribeApplicationSnapshot ListApplicationSnapshots DeleteApplicationSnapshot
        TagResource UntagResource ListTagsForResource""",
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


main(globals())
