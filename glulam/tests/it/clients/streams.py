"""Streams and the applications over them through the AWS door: boto3, the aws command, and CBOR as clients in Java send it."""

import datetime
import hashlib
import http.client
import json
import os
import struct
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from common import main, refused, wait

ARN = "arn:aws:kinesis:eu-central-1:123456789012:stream/"
LAST = 2**128 - 1


def called(*command):
    """What a command of the environment prints."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def kinesis():
    return boto3.client("kinesis", config=Config(retries={"total_max_attempts": 1}))


def fill(client, stream, count, start=0, **more):
    """Puts numbered records and gives where each has come to stand."""
    placed = []
    for at in range(start, start + count, 500):
        entries = [
            {"Data": json.dumps({"n": n, "text": "ä" * 20}).encode(), "PartitionKey": f"key-{n}", **more}
            for n in range(at, min(at + 500, start + count))
        ]
        answer = client.put_records(StreamName=stream, Records=entries)
        assert answer["FailedRecordCount"] == 0 and answer["EncryptionType"] == "NONE", answer
        placed += [(r["ShardId"], r["SequenceNumber"]) for r in answer["Records"]]
    return placed


def read(client, stream, shard, kind, limit=10000, **more):
    """All records of a shard from there on, and what its end answers."""
    iterator = client.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]
    records = []
    while True:
        answer = client.get_records(ShardIterator=iterator, Limit=limit)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
        if iterator is None or (not answer["Records"] and answer["MillisBehindLatest"] == 0):
            return records, answer


def numbers(records):
    return [json.loads(record["Data"])["n"] for record in records]


def records():
    """Thousands of records, read by every type of iterator."""
    client = kinesis()
    client.create_stream(StreamName="first", ShardCount=3, Tags={"team": "a"})
    client.get_waiter("stream_exists").wait(StreamName="first")
    refused("ResourceInUseException", client.create_stream, StreamName="first", ShardCount=1)
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)
    placed = fill(client, "first", 4000)
    summary = client.describe_stream_summary(StreamARN=ARN + "first")["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["StreamStatus"], summary["StreamARN"]) == (3, "ACTIVE", ARN + "first")
    assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    shards = client.list_shards(StreamName="first")["Shards"]
    assert [s["ShardId"] for s in shards] == [f"shardId-{n:012}" for n in range(3)]
    assert shards[0]["HashKeyRange"]["StartingHashKey"] == "0"
    assert shards[2]["HashKeyRange"]["EndingHashKey"] == str(LAST)
    seen = []
    for shard in shards:
        name = shard["ShardId"]
        mine = [n for n, (where, _) in enumerate(placed) if where == name]
        keys = shard["HashKeyRange"]
        for n in mine[:50]:
            hashed = int.from_bytes(hashlib.md5(f"key-{n}".encode()).digest(), "big")
            assert int(keys["StartingHashKey"]) <= hashed <= int(keys["EndingHashKey"])
        found, end = read(client, "first", name, "TRIM_HORIZON", limit=777)
        assert numbers(found) == mine and end["MillisBehindLatest"] == 0
        assert [r["SequenceNumber"] for r in found] == [placed[n][1] for n in mine]
        assert found[0]["PartitionKey"] == f"key-{mine[0]}"
        age = datetime.datetime.now(datetime.timezone.utc) - found[0]["ApproximateArrivalTimestamp"]
        assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=2), age
        at = placed[mine[10]][1]
        assert numbers(read(client, "first", name, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=at)[0]) == mine[10:]
        assert numbers(read(client, "first", name, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=at)[0]) == mine[11:]
        assert numbers(read(client, "first", name, "AT_TIMESTAMP", Timestamp=before)[0]) == mine
        assert read(client, "first", name, "LATEST")[0] == []
        seen += mine
    assert sorted(seen) == list(range(4000))
    latest = client.get_shard_iterator(StreamName="first", ShardId="shardId-000000000001", ShardIteratorType="LATEST")
    one = client.put_record(
        StreamName="first", Data=b"\x00\xff bytes", PartitionKey="any",
        ExplicitHashKey=shards[1]["HashKeyRange"]["StartingHashKey"], SequenceNumberForOrdering=placed[-1][1])
    assert one["ShardId"] == "shardId-000000000001"
    got = client.get_records(ShardIterator=latest["ShardIterator"], StreamARN=ARN + "first")["Records"]
    assert [(r["Data"], r["SequenceNumber"]) for r in got] == [(b"\x00\xff bytes", one["SequenceNumber"])]
    mistakes(client, placed)
    client.delete_stream(StreamName="first")
    client.get_waiter("stream_not_exists").wait(StreamName="first")
    refused("ResourceNotFoundException", client.get_records, ShardIterator=latest["ShardIterator"])


def mistakes(client, placed):
    put, entry = client.put_records, {"Data": b"x", "PartitionKey": "k"}
    refused("ResourceNotFoundException", put, StreamName="absent", Records=[entry])
    refused("InvalidArgumentException", put, StreamName="first", Records=[entry] * 501)
    large = {"Data": b"x" * (1 << 20), "PartitionKey": "k"}
    refused("InvalidArgumentException", put, StreamName="first", Records=[large])
    fits = {"Data": b"x" * ((1 << 20) - 1), "PartitionKey": "k"}
    put(StreamName="first", Records=[fits] * 4)
    refused("InvalidArgumentException", put, StreamName="first", Records=[fits] * 6)
    for key in ["-1", "x", str(LAST + 1)]:
        refused("InvalidArgumentException", client.put_record, StreamName="first", ExplicitHashKey=key, **entry)
    refused("InvalidArgumentException", put, StreamName="first", StreamARN=ARN + "other", Records=[entry])
    refused("ResourceNotFoundException", put, StreamARN=ARN.replace("123456789012", "210987654321") + "first", Records=[entry])
    refused("InvalidArgumentException", put, Records=[entry])
    refused("InvalidArgumentException", put, StreamName="first", Records=[entry], DryRun=True)
    iterator = {"StreamName": "first", "ShardId": "shardId-000000000000"}
    refused("ResourceNotFoundException", client.get_shard_iterator, StreamName="first", ShardId="shardId-000000000099",
            ShardIteratorType="LATEST")
    refused("InvalidArgumentException", client.get_shard_iterator, ShardIteratorType="AT_SEQUENCE_NUMBER", **iterator)
    other = next(number for shard, number in placed if shard != "shardId-000000000000")
    refused("InvalidArgumentException", client.get_shard_iterator, ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=other, **iterator)
    refused("InvalidArgumentException", client.get_shard_iterator, ShardIteratorType="SOMEWHERE", **iterator)
    refused("InvalidArgumentException", client.get_records, ShardIterator="nonsense")
    error = refused("UnknownOperationException", client.put_resource_policy, ResourceARN=ARN + "first", Policy="{}")
    assert "PutResourcePolicy" in str(error)


def lineage():
    """Splits, merges and scaling, and reading through them without loss."""
    client = kinesis()
    client.create_stream(StreamName="second", ShardCount=1)
    fill(client, "second", 500)
    zero, one, two, three = (f"shardId-{n:012}" for n in range(4))
    client.split_shard(StreamName="second", ShardToSplit=zero, NewStartingHashKey=str(2**127))
    fill(client, "second", 500, start=500)
    client.merge_shards(StreamName="second", ShardToMerge=one, AdjacentShardToMerge=two)
    fill(client, "second", 500, start=1000)
    shards = {s["ShardId"]: s for s in client.list_shards(StreamName="second")["Shards"]}
    assert list(shards) == [zero, one, two, three]
    assert shards[one]["ParentShardId"] == zero and "AdjacentParentShardId" not in shards[one]
    assert (shards[three]["ParentShardId"], shards[three]["AdjacentParentShardId"]) == (one, two)
    assert "EndingSequenceNumber" not in shards[three]["SequenceNumberRange"]
    assert int(shards[zero]["SequenceNumberRange"]["EndingSequenceNumber"]) < int(
        shards[one]["SequenceNumberRange"]["StartingSequenceNumber"])
    found, end = read(client, "second", zero, "TRIM_HORIZON")
    assert numbers(found) == list(range(500)) and "NextShardIterator" not in end
    assert [c["ShardId"] for c in end["ChildShards"]] == [one, two]
    assert end["ChildShards"][0]["ParentShards"] == [zero]
    halves = [read(client, "second", shard, "TRIM_HORIZON") for shard in (one, two)]
    assert sorted(numbers(halves[0][0]) + numbers(halves[1][0])) == list(range(500, 1000))
    assert halves[1][1]["ChildShards"][0]["ParentShards"] == [one, two]
    assert numbers(read(client, "second", three, "TRIM_HORIZON")[0]) == list(range(1000, 1500))
    last = shards[zero]["SequenceNumberRange"]["EndingSequenceNumber"]
    assert read(client, "second", zero, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=last)[0] == []
    created = client.describe_stream_summary(StreamName="second")["StreamDescriptionSummary"]["StreamCreationTimestamp"]
    now = datetime.datetime.now(datetime.timezone.utc)

    def ids(**more):
        return [s["ShardId"] for s in client.list_shards(StreamName="second", **more)["Shards"]]

    assert ids(ShardFilter={"Type": "AT_LATEST"}) == [three]
    assert ids(ShardFilter={"Type": "AFTER_SHARD_ID", "ShardId": one}) == [two, three]
    assert ids(ShardFilter={"Type": "AT_TRIM_HORIZON"}) == [zero]
    assert ids(ShardFilter={"Type": "FROM_TRIM_HORIZON"}, ExclusiveStartShardId=zero) == [one, two, three]
    assert ids(ShardFilter={"Type": "FROM_TIMESTAMP", "Timestamp": created - datetime.timedelta(hours=1)}) == list(shards)
    assert three in ids(ShardFilter={"Type": "AT_TIMESTAMP", "Timestamp": now + datetime.timedelta(seconds=2)})
    assert ids(StreamCreationTimestamp=created) == list(shards)
    refused("ResourceNotFoundException", client.list_shards, StreamName="second", StreamCreationTimestamp=now + datetime.timedelta(days=1))
    paged, token = [], {"StreamName": "second", "ShardFilter": {"Type": "FROM_TRIM_HORIZON"}}
    while token:
        page = client.list_shards(MaxResults=3, **token)
        paged += [s["ShardId"] for s in page["Shards"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    assert paged == list(shards)
    described = [p["StreamDescription"] for p in client.get_paginator("describe_stream").paginate(
        StreamName="second", PaginationConfig={"PageSize": 3})]
    assert [s["ShardId"] for d in described for s in d["Shards"]] == list(shards)
    assert [d["HasMoreShards"] for d in described] == [True, False]
    refused("InvalidArgumentException", client.split_shard, StreamName="second", ShardToSplit=zero, NewStartingHashKey="5")
    refused("InvalidArgumentException", client.split_shard, StreamName="second", ShardToSplit=three, NewStartingHashKey="0")
    refused("ResourceNotFoundException", client.split_shard, StreamName="second", ShardToSplit="shardId-000000000044", NewStartingHashKey="5")
    refused("InvalidArgumentException", client.update_shard_count, StreamName="second", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    for count in [2, 4, 3]:
        answer = client.update_shard_count(StreamName="second", TargetShardCount=count, ScalingType="UNIFORM_SCALING")
        assert answer["TargetShardCount"] == count
        summary = client.describe_stream_summary(StreamName="second")["StreamDescriptionSummary"]
        assert summary["OpenShardCount"] == count
    client.delete_stream(StreamName="second")


def resharded():
    """A stream whose shards were split and merged, some of them before they had a record."""
    client = kinesis()
    client.create_stream(StreamName="eighth", ShardCount=2)
    fill(client, "eighth", 300)
    for count in [4, 2]:
        client.update_shard_count(StreamName="eighth", TargetShardCount=count, ScalingType="UNIFORM_SCALING")
    fill(client, "eighth", 300, start=300)
    client.update_shard_count(StreamName="eighth", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    fill(client, "eighth", 300, start=600)


def settings():
    """What is noted of a stream and answered again."""
    client = kinesis()
    client.create_stream(StreamName="third", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    refused("ValidationException", client.create_stream, StreamName="x", StreamModeDetails={"StreamMode": "PROVISIONED"})
    refused("InvalidArgumentException", client.create_stream, StreamName="x", ShardCount=20_000)
    refused("InvalidArgumentException", client.create_stream, StreamName="x", ShardCount=1, MaxRecordSizeInKiB=2048)
    arn = ARN + "third"
    refused("ValidationException", client.update_shard_count, StreamName="third", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "PROVISIONED"})
    client.increase_stream_retention_period(StreamName="third", RetentionPeriodHours=48)
    refused("InvalidArgumentException", client.increase_stream_retention_period, StreamName="third", RetentionPeriodHours=48)
    refused("InvalidArgumentException", client.increase_stream_retention_period, StreamName="third", RetentionPeriodHours=9000)
    client.decrease_stream_retention_period(StreamARN=arn, RetentionPeriodHours=25)
    client.start_stream_encryption(StreamName="third", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    enabled = client.enable_enhanced_monitoring(StreamName="third", ShardLevelMetrics=["IncomingBytes", "OutgoingBytes"])
    assert enabled["CurrentShardLevelMetrics"] == [] and len(enabled["DesiredShardLevelMetrics"]) == 2
    client.disable_enhanced_monitoring(StreamName="third", ShardLevelMetrics=["OutgoingBytes"])
    refused("InvalidArgumentException", client.enable_enhanced_monitoring, StreamName="third", ShardLevelMetrics=["Nothing"])
    told = client.describe_stream(StreamName="third")["StreamDescription"]
    assert told["StreamModeDetails"] == {"StreamMode": "PROVISIONED"} and told["RetentionPeriodHours"] == 25
    assert (told["EncryptionType"], told["KeyId"]) == ("KMS", "alias/aws/kinesis")
    assert told["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["IncomingBytes"]}]
    assert client.put_record(StreamName="third", Data=b"x", PartitionKey="k")["EncryptionType"] == "KMS"
    client.stop_stream_encryption(StreamName="third", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    client.add_tags_to_stream(StreamName="third", Tags={"a": "1", "b": "2", "c": "3"})
    client.remove_tags_from_stream(StreamName="third", TagKeys=["b"])
    client.tag_resource(ResourceARN=arn, Tags={"d": "4"})
    client.untag_resource(ResourceARN=arn, TagKeys=["a"])
    first = client.list_tags_for_stream(StreamName="third", Limit=1)
    assert (first["Tags"], first["HasMoreTags"]) == ([{"Key": "c", "Value": "3"}], True)
    assert {t["Key"]: t["Value"] for t in client.list_tags_for_resource(ResourceARN=arn)["Tags"]} == {"c": "3", "d": "4"}
    for n in range(5):
        client.create_stream(StreamName=f"many-{n}", ShardCount=1)
    pages = list(client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2}))
    names = [name for page in pages for name in page["StreamNames"]]
    assert names == [f"many-{n}" for n in range(5)] + ["third"] and len(pages) == 3
    assert pages[0]["StreamSummaries"][0]["StreamARN"] == ARN + "many-0"
    limits = client.describe_limits()
    assert limits["OpenShardCount"] == 9 and limits["ShardLimit"] > 9
    for name in names:
        client.delete_stream(StreamARN=ARN + name)


def consumers():
    """Registered consumers, and shards that are pushed to them."""
    client = kinesis()
    client.create_stream(StreamName="fourth", ShardCount=1)
    arn, shard = ARN + "fourth", "shardId-000000000000"
    placed = fill(client, "fourth", 1200)
    one = client.register_stream_consumer(StreamARN=arn, ConsumerName="one", Tags={"a": "b"})["Consumer"]
    assert one["ConsumerStatus"] == "ACTIVE" and one["ConsumerARN"].startswith(arn + "/consumer/one:")
    refused("ResourceInUseException", client.register_stream_consumer, StreamARN=arn, ConsumerName="one")
    assert client.list_tags_for_resource(ResourceARN=one["ConsumerARN"])["Tags"] == [{"Key": "a", "Value": "b"}]
    client.register_stream_consumer(StreamARN=arn, ConsumerName="two")
    pages = client.get_paginator("list_stream_consumers").paginate(StreamARN=arn, PaginationConfig={"PageSize": 1})
    assert [c["ConsumerName"] for page in pages for c in page["Consumers"]] == ["one", "two"]
    told = client.describe_stream_consumer(ConsumerARN=one["ConsumerARN"])["ConsumerDescription"]
    assert told["StreamARN"] == arn and told == client.describe_stream_consumer(
        StreamARN=arn, ConsumerName="one")["ConsumerDescription"]
    subscribe = {"ConsumerARN": one["ConsumerARN"], "ShardId": shard}
    stream = client.subscribe_to_shard(StartingPosition={"Type": "TRIM_HORIZON"}, **subscribe)["EventStream"]
    found, late = [], None
    for event in stream:
        event = event["SubscribeToShardEvent"]
        found += numbers(event["Records"])
        if len(found) == 1200:
            assert event["ContinuationSequenceNumber"] == placed[-1][1] and event["MillisBehindLatest"] == 0
            fill(client, "fourth", 3, start=1200)
        if len(found) == 1203:
            late = event["ContinuationSequenceNumber"]
            break
    assert found == list(range(1203))
    refused("ResourceInUseException", client.subscribe_to_shard, StartingPosition={"Type": "LATEST"}, **subscribe)
    refused("InvalidArgumentException", client.subscribe_to_shard, ConsumerARN=arn, ShardId=shard, StartingPosition={"Type": "LATEST"})
    stream.close()
    # The other consumer goes on behind that record, to the end of the shard.
    two = client.describe_stream_consumer(StreamARN=arn, ConsumerName="two")["ConsumerDescription"]
    stream = client.subscribe_to_shard(
        ConsumerARN=two["ConsumerARN"], ShardId=shard,
        StartingPosition={"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": placed[1199][1]})["EventStream"]
    found, children = [], None
    split = threading.Timer(0, client.split_shard, kwargs={
        "StreamName": "fourth", "ShardToSplit": shard, "NewStartingHashKey": str(2**127)})
    split.start()
    for event in stream:
        event = event["SubscribeToShardEvent"]
        found += numbers(event["Records"])
        children = event.get("ChildShards")
    split.join()
    assert found == [1200, 1201, 1202] and late
    assert [c["ShardId"] for c in children] == ["shardId-000000000001", "shardId-000000000002"]
    refused("ResourceInUseException", client.delete_stream, StreamName="fourth")
    client.deregister_stream_consumer(ConsumerARN=two["ConsumerARN"])
    refused("ResourceNotFoundException", client.describe_stream_consumer, StreamARN=arn, ConsumerName="two")
    client.delete_stream(StreamName="fourth", EnforceConsumerDeletion=True)


def encoded(value):
    """CBOR, as Jackson writes it: maps have no length, times have tag 1."""
    if isinstance(value, dict):
        return b"\xbf" + b"".join(encoded(k) + encoded(v) for k, v in value.items()) + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(encoded(v) for v in value) + b"\xff"
    if isinstance(value, datetime.datetime):
        return b"\xc1" + encoded(int(value.timestamp() * 1000))
    if isinstance(value, int):
        return b"\x1b" + struct.pack(">Q", value)
    major, value = (0x40, value) if isinstance(value, bytes) else (0x60, value.encode())
    return bytes([major + 26]) + struct.pack(">I", len(value)) + value


def decoded(data, at=0):
    """A value of CBOR and where it ends."""
    major, minor = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return {20: False, 21: True, 22: None}[minor], at
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(minor, 0)
    count = int.from_bytes(data[at:at + size], "big") if size else minor
    at += size
    if major == 0:
        return count, at
    if major in (2, 3):
        value = data[at:at + count]
        return (value if major == 2 else value.decode()), at + count
    if major == 4:
        found = []
        for _ in range(count):
            value, at = decoded(data, at)
            found.append(value)
        return found, at
    if major == 5:
        found = {}
        for _ in range(count):
            key, at = decoded(data, at)
            found[key], at = decoded(data, at)
        return found, at
    assert major == 6 and count == 1, (major, count)
    value, at = decoded(data, at)
    return datetime.datetime.fromtimestamp(value / 1000, datetime.timezone.utc), at


def ask(operation, body, content_type="application/x-amz-cbor-1.1"):
    """A signed request, and status, headers and the bytes of its answer."""
    url = os.environ["AWS_ENDPOINT_URL"] + "/"
    headers = {"content-type": content_type, "x-amz-target": f"Kinesis_20131202.{operation}"}
    request = AWSRequest("POST", url, headers=headers, data=body)
    key = os.environ["AWS_ACCESS_KEY_ID"]
    SigV4Auth(Credentials(key, key), "kinesis", "eu-central-1").add_auth(request)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("POST", "/", body, dict(request.headers))
    answer = connection.getresponse()
    assert answer.getheader("content-type") == content_type, answer.getheaders()
    return answer.status, answer, answer.read()


def in_cbor(operation, code=None, **body):
    status, answer, data = ask(operation, encoded(body))
    value, end = decoded(data) if data else ({}, 0)
    assert end == len(data)
    if code:
        assert (status, value["__type"], answer.getheader("x-amzn-errortype")) == (400, code, code), (status, value)
        assert value["message"]
    else:
        assert status == 200, value
    return value


def cbor():
    """The same operations in CBOR: bytes are bytes, times are milliseconds."""
    in_cbor("CreateStream", StreamName="fifth", ShardCount=1, Tags={"a": "b"})
    data = [os.urandom(size) for size in (0, 1, 100, 5000, 200_000)]
    entries = [{"Data": d, "PartitionKey": "k"} for d in data]
    put = in_cbor("PutRecords", StreamName="fifth", Records=entries)
    assert put["FailedRecordCount"] == 0 and len(put["Records"]) == 5
    one = in_cbor("PutRecord", StreamName="fifth", Data=b"last", PartitionKey="k")
    assert one["ShardId"] == "shardId-000000000000"
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    place = in_cbor("GetShardIterator", StreamName="fifth", ShardId="shardId-000000000000",
                    ShardIteratorType="AT_TIMESTAMP", Timestamp=since)
    got = in_cbor("GetRecords", ShardIterator=place["ShardIterator"])
    assert [r["Data"] for r in got["Records"]] == data + [b"last"]
    assert abs((got["Records"][0]["ApproximateArrivalTimestamp"] - since).total_seconds()) < 120
    told = in_cbor("DescribeStreamSummary", StreamName="fifth")["StreamDescriptionSummary"]
    assert told["OpenShardCount"] == 1 and isinstance(told["StreamCreationTimestamp"], datetime.datetime)
    shards = in_cbor("ListShards", StreamName="fifth", ShardFilter={"Type": "FROM_TIMESTAMP", "Timestamp": since})
    assert len(shards["Shards"]) == 1
    in_cbor("GetRecords", code="InvalidArgumentException", ShardIterator="nonsense")
    in_cbor("DescribeStream", code="ResourceNotFoundException", StreamName="absent")
    in_cbor("PutRecord", code="ValidationException", StreamName="fifth", PartitionKey="k")
    status, _, answer = ask("ListStreams", b"\xbf\x64")
    assert status == 400 and decoded(answer)[0]["__type"] == "SerializationException"
    # What went in as CBOR comes out as JSON, and the other way round.
    client = kinesis()
    client.put_record(StreamName="fifth", Data=b"json", PartitionKey="k")
    found = read(client, "fifth", "shardId-000000000000", "TRIM_HORIZON")[0]
    assert [r["Data"] for r in found] == data + [b"last", b"json"]
    arn = client.register_stream_consumer(StreamARN=ARN + "fifth", ConsumerName="c")["Consumer"]["ConsumerARN"]
    client.split_shard(StreamName="fifth", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    pushed(arn, data + [b"last", b"json"])
    in_cbor("DeleteStream", StreamName="fifth", EnforceConsumerDeletion=1, code="SerializationException")
    client.delete_stream(StreamName="fifth", EnforceConsumerDeletion=True)


def pushed(arn, data):
    """A subscription whose events are CBOR, in frames that are taken apart here."""
    url = os.environ["AWS_ENDPOINT_URL"] + "/"
    body = encoded({"ConsumerARN": arn, "ShardId": "shardId-000000000000", "StartingPosition": {"Type": "TRIM_HORIZON"}})
    headers = {"content-type": "application/x-amz-cbor-1.1", "x-amz-target": "Kinesis_20131202.SubscribeToShard"}
    request = AWSRequest("POST", url, headers=headers, data=body)
    key = os.environ["AWS_ACCESS_KEY_ID"]
    SigV4Auth(Credentials(key, key), "kinesis", "eu-central-1").add_auth(request)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("POST", "/", body, dict(request.headers))
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "application/vnd.amazon.eventstream"
    text, found, kinds = answer.read(), [], []
    while text:
        length, head = struct.unpack(">II", text[:8])
        headers, payload, text = text[12:12 + head], text[12 + head:length - 4], text[length:]
        kind = headers.split(b":event-type\x07")[1]
        kinds.append(kind[2:2 + struct.unpack(">H", kind[:2])[0]].decode())
        value, end = decoded(payload)
        assert end == len(payload) and b"application/x-amz-cbor-1.1" in headers
        found += [record["Data"] for record in value.get("Records", [])]
    assert kinds[0] == "initial-response" and set(kinds[1:]) == {"SubscribeToShardEvent"}
    assert found == data


def command():
    """The aws command."""
    called("awscli", "kinesis", "create-stream", "--stream-name", "sixth", "--shard-count", "1")
    called("awscli", "kinesis", "put-record", "--stream-name", "sixth", "--partition-key", "k", "--data", "aGVsbG8=")
    iterator = json.loads(called(
        "awscli", "kinesis", "get-shard-iterator", "--stream-name", "sixth", "--shard-id", "shardId-000000000000",
        "--shard-iterator-type", "TRIM_HORIZON", "--output", "json"))["ShardIterator"]
    got = json.loads(called("awscli", "kinesis", "get-records", "--shard-iterator", iterator, "--output", "json"))
    # What is put is taken as it is written; what is got is shown in base64.
    assert (got["Records"][0]["Data"], got["MillisBehindLatest"]) == ("YUdWc2JHOD0=", 0)
    assert "sixth" in called("awscli", "kinesis", "list-streams", "--output", "json")
    called("awscli", "kinesis", "delete-stream", "--stream-name", "sixth")


SCRIPT = """SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE metrics_stream (
  componentName STRING, metricName STRING, `value` DOUBLE, publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH ('connector' = 'kinesis', 'stream' = 'metrics', 'aws.region' = 'eu-central-1',
        'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE TABLE windowed (
  componentName STRING, lowest DOUBLE, highest DOUBLE, events BIGINT, fromTimestamp TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = 's3://windows/here/', 'format' = 'json');
INSERT INTO windowed
SELECT componentName, MIN(`value`), MAX(`value`), COUNT(*), TUMBLE_START(publicationTimestamp, INTERVAL '5' MINUTE)
FROM metrics_stream
GROUP BY TUMBLE(publicationTimestamp, INTERVAL '5' MINUTE), componentName;
"""


def minutes(client, first, last):
    """One event a second and component for these minutes."""
    start = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.timezone.utc)
    events = []
    for second in range(first * 60, last * 60):
        at = (start + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for component in ("order-service", "user-service"):
            event = {"componentName": component, "metricName": "cpu", "value": second, "publicationTimestamp": at}
            events.append({"Data": json.dumps(event).encode(), "PartitionKey": component})
    for at in range(0, len(events), 500):
        assert client.put_records(StreamName="metrics", Records=events[at:at + 500])["FailedRecordCount"] == 0


def windows():
    """What the application has written: window and component to the number of events; none stands there twice."""
    s3, found = boto3.client("s3"), {}
    for entry in s3.list_objects_v2(Bucket="windows", Prefix="here/").get("Contents", []):
        for line in s3.get_object(Bucket="windows", Key=entry["Key"])["Body"].read().decode().splitlines():
            row = json.loads(line)
            place = (row["fromTimestamp"], row["componentName"])
            assert place not in found, f"{place} is there twice"
            found[place] = row["events"]
    return found


def application():
    """An application that reads a stream and writes windows, stopped with a snapshot and started again from it."""
    client, flink, s3 = kinesis(), boto3.client("kinesisanalyticsv2"), boto3.client("s3")
    client.create_stream(StreamName="metrics", ShardCount=2)
    s3.create_bucket(Bucket="windows", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="windows", Key="code/app.sql", Body=SCRIPT.encode())

    def code(**content):
        return {"ApplicationCodeConfiguration": {"CodeContentType": "PLAINTEXT", "CodeContent": content}}

    new = {"ApplicationName": "app", "RuntimeEnvironment": "FLINK-1_20", "ServiceExecutionRole": "arn:aws:iam::123456789012:role/r"}
    create = flink.create_application
    refused("UnsupportedOperationException", create, **{**new, "RuntimeEnvironment": "SQL-1_0"})
    refused("UnsupportedOperationException", create, ApplicationMode="INTERACTIVE", **new)
    jar = {"BucketARN": "arn:aws:s3:::windows", "FileKey": "app.jar"}
    error = refused("UnsupportedOperationException", create, ApplicationConfiguration=code(S3ContentLocation=jar), **new)
    assert "TextContent" in str(error)
    refused("UnsupportedOperationException", create, ApplicationConfiguration=code(ZipFileContent=b"PK"), **new)
    wrong = SCRIPT.replace("`value` DOUBLE", "`value` DUOBLE")
    error = refused("CodeValidationException", create, ApplicationConfiguration=code(TextContent=wrong), **new)
    assert "DUOBLE" in str(error)
    place = {"BucketARN": "arn:aws:s3:::windows", "FileKey": "code/app.sql"}
    made = create(ApplicationConfiguration=code(S3ContentLocation=place), ApplicationDescription="five minutes",
                  Tags=[{"Key": "a", "Value": "b"}], **new)["ApplicationDetail"]
    assert (made["ApplicationStatus"], made["ApplicationVersionId"]) == ("READY", 1)
    arn = made["ApplicationARN"]
    assert arn == "arn:aws:kinesisanalytics:eu-central-1:123456789012:application/app"
    refused("ResourceInUseException", create, ApplicationConfiguration=code(TextContent=SCRIPT), **new)
    assert flink.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    logged = flink.add_application_cloud_watch_logging_option(
        ApplicationName="app", CurrentApplicationVersionId=1,
        CloudWatchLoggingOption={"LogStreamARN": "arn:aws:logs:eu-central-1:123456789012:log-group:g:log-stream:s"})
    assert logged["ApplicationVersionId"] == 2 and len(logged["CloudWatchLoggingOptionDescriptions"]) == 1
    refused("ConcurrentModificationException", flink.update_application, ApplicationName="app",
            CurrentApplicationVersionId=1, ServiceExecutionRoleUpdate="r2")

    def described():
        return flink.describe_application(ApplicationName="app")["ApplicationDetail"]

    def start(kind, **more):
        flink.start_application(ApplicationName="app", RunConfiguration={
            "ApplicationRestoreConfiguration": {"ApplicationRestoreType": kind, **more}})
        assert described()["ApplicationStatus"] == "RUNNING"

    def until(last):
        """Waits for all windows before that minute."""
        expected = {(f"2026-03-02T12:{m:02}:00", c): 300 for m in range(0, last, 5) for c in ("order-service", "user-service")}
        wait(lambda: {(f[:19].replace(" ", "T"), c): n for (f, c), n in windows().items()} == expected)

    refused("InvalidRequestException", flink.create_application_snapshot, ApplicationName="app", SnapshotName="none")
    minutes(client, 0, 12)
    start("SKIP_RESTORE_FROM_SNAPSHOT")
    refused("ResourceInUseException", flink.start_application, ApplicationName="app")
    until(10)
    flink.create_application_snapshot(ApplicationName="app", SnapshotName="noon")
    refused("ResourceInUseException", flink.create_application_snapshot, ApplicationName="app", SnapshotName="noon")
    snapshot = flink.describe_application_snapshot(ApplicationName="app", SnapshotName="noon")["SnapshotDetails"]
    assert (snapshot["SnapshotStatus"], snapshot["ApplicationVersionId"]) == ("READY", 2)
    flink.stop_application(ApplicationName="app")
    refused("ResourceInUseException", flink.stop_application, ApplicationName="app")
    assert described()["ApplicationStatus"] == "READY"
    minutes(client, 12, 17)
    start("RESTORE_FROM_CUSTOM_SNAPSHOT", SnapshotName="noon")
    until(15)
    # Another script over the same windows: it is stopped, changed, and goes on with what it had.
    told = described()
    assert told["ApplicationConfigurationDescription"]["RunConfigurationDescription"][
        "ApplicationRestoreConfigurationDescription"] == {
            "ApplicationRestoreType": "RESTORE_FROM_CUSTOM_SNAPSHOT", "SnapshotName": "noon"}
    changed = flink.update_application(
        ApplicationName="app", ConditionalToken=told["ConditionalToken"],
        ApplicationConfigurationUpdate={"ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": {
            "TextContentUpdate": SCRIPT + "-- with a remark\n"}}})["ApplicationDetail"]
    assert (changed["ApplicationStatus"], changed["ApplicationVersionId"]) == ("RUNNING", 3)
    minutes(client, 17, 22)
    until(20)
    # Another aggregate has no use for the state: it does not begin with it unless that is allowed.
    flink.stop_application(ApplicationName="app", Force=True)
    other = SCRIPT.replace("MAX(`value`)", "MAX(`value` + 1)")
    flink.update_application(ApplicationName="app", CurrentApplicationVersionId=3, ApplicationConfigurationUpdate={
        "ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": {"TextContentUpdate": other}}})
    flink.start_application(ApplicationName="app")
    wait(lambda: described()["ApplicationStatus"] == "READY")
    minutes(client, 22, 27)
    flink.start_application(ApplicationName="app", RunConfiguration={
        "FlinkRunConfiguration": {"AllowNonRestoredState": True}})
    wait(lambda: any("12:20" in place[0] for place in windows()))
    # The window that was open has lost what it had: only what came afterwards is counted.
    assert {n for (f, _), n in windows().items() if "12:20" in f} == {180}
    flink.stop_application(ApplicationName="app")
    assert [a["ApplicationName"] for a in flink.list_applications()["ApplicationSummaries"]] == ["app"]
    assert [s["SnapshotName"] for s in flink.list_application_snapshots(ApplicationName="app")["SnapshotSummaries"]] == ["noon"]
    flink.delete_application_snapshot(
        ApplicationName="app", SnapshotName="noon", SnapshotCreationTimestamp=snapshot["SnapshotCreationTimestamp"])
    refused("ResourceNotFoundException", flink.describe_application_snapshot, ApplicationName="app", SnapshotName="noon")
    flink.delete_application(ApplicationName="app", CreateTimestamp=made["CreateTimestamp"])
    refused("ResourceNotFoundException", flink.describe_application, ApplicationName="app")


main(globals())
