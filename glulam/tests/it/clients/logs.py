"""CloudWatch Logs: groups, streams and events of users, beside the logs of runs."""

import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from common import main, refused

HOUR = 3_600_000
DAY = 24 * HOUR
# What CloudWatch counts for an event besides its message.
OVERHEAD = 26
ACCOUNT = "123456789012"


def now():
    return int(time.time() * 1000)


def put(logs, group, stream, events, **more):
    """Puts (time, message) pairs; all must be taken."""
    answer = logs.put_log_events(
        logGroupName=group, logStreamName=stream,
        logEvents=[{"timestamp": at, "message": message} for at, message in events], **more)
    assert "rejectedLogEventsInfo" not in answer, answer
    return answer


def messages(events):
    return [event["message"] for event in events]


def found(logs, group, **more):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **more)
    return [event for page in pages for event in page["events"]]


def made(logs, group, *streams):
    logs.create_log_group(logGroupName=group)
    for stream in streams:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)


def events():
    """A stream: put in order, out of order, at wrong times, and read to both ends."""
    logs = boto3.client("logs")
    group, here = "/app/orders", {"logGroupName": "/app/orders", "logStreamName": "web/1"}
    made(logs, group, "web/1")
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=group)
    refused("ResourceAlreadyExistsException", logs.create_log_stream, **here)
    refused("ResourceNotFoundException", logs.put_log_events, logGroupName=group, logStreamName="none",
            logEvents=[{"timestamp": now(), "message": "m"}])
    at = now()
    first = put(logs, group, "web/1", [(at - 100 + n, f"line {n}") for n in range(20)])
    # A token says nothing, right or wrong; batches may come in any order, a batch may not.
    again = put(logs, group, "web/1", [(at - 200 + n, f"early {n} äöü ✓") for n in range(5)], sequenceToken="wrong")
    assert first["nextSequenceToken"] < again["nextSequenceToken"], (first, again)
    backwards = [{"timestamp": at, "message": "b"}, {"timestamp": at - 1, "message": "a"}]
    error = refused("InvalidParameterException", logs.put_log_events, logEvents=backwards, **here)
    assert "chronological" in str(error), error
    apart = [{"timestamp": at - DAY - 1, "message": "a"}, {"timestamp": at, "message": "b"}]
    refused("InvalidParameterException", logs.put_log_events, logEvents=apart, **here)
    large = [{"timestamp": at, "message": "m" * (1 << 19)}] * 2
    error = refused("InvalidParameterException", logs.put_log_events, logEvents=large, **here)
    assert "1048576" in str(error), error
    times = [at - 15 * DAY, at - 14 * DAY - HOUR, at - HOUR, at, at + 3 * HOUR]
    answer = logs.put_log_events(logEvents=[{"timestamp": t, "message": f"at {t - at}"} for t in times], **here)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4}, answer
    whole = messages(logs.get_log_events(startFromHead=True, **here)["events"])
    assert whole == ([f"at {-HOUR}"] + [f"early {n} äöü ✓" for n in range(5)] + [f"line {n}" for n in range(20)]
                     + ["at 0"]), whole

    # Forwards from the head, to the end and beyond it: what comes later is found by the same token.
    pages, token = [], {"startFromHead": True}
    while True:
        page = logs.get_log_events(limit=10, **token, **here)
        if page["nextForwardToken"] == token.get("nextToken"):
            break
        pages.append(messages(page["events"]))
        token = {"nextToken": page["nextForwardToken"], "startFromHead": True}
    assert [len(page) for page in pages] == [10, 10, 7] and sum(pages, []) == whole, pages
    put(logs, group, "web/1", [(at + 1, "later")])
    assert messages(logs.get_log_events(**token, **here)["events"]) == ["later"]
    # Backwards from the tail.
    pages, token = [], {}
    while True:
        page = logs.get_log_events(limit=10, **token, **here)
        if page["nextBackwardToken"] == token.get("nextToken"):
            break
        pages.insert(0, messages(page["events"]))
        token = {"nextToken": page["nextBackwardToken"]}
    assert [len(page) for page in pages] == [8, 10, 10] and sum(pages, []) == whole + ["later"], pages
    span = logs.get_log_events(startTime=at - 200, endTime=at - 100, startFromHead=True, **here)
    assert len(span["events"]) == 5, span
    assert all(event["ingestionTime"] >= at for event in span["events"]), span

    [stream] = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (at - HOUR, at + 1), stream
    assert stream["lastIngestionTime"] >= at and stream["uploadSequenceToken"] and stream["storedBytes"] == 0, stream
    arn = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:{group}"
    assert stream["arn"] == f"{arn}:log-stream:web/1", stream
    [shown] = logs.describe_log_groups(logGroupNamePrefix="/app/ord")["logGroups"]
    assert shown["arn"] == f"{arn}:*" and shown["logGroupArn"] == arn, shown
    assert shown["storedBytes"] == sum(len(m.encode()) + OVERHEAD for m in whole + ["later"]), shown
    assert shown["creationTime"] <= at and "retentionInDays" not in shown, shown
    assert shown["logGroupClass"] == "STANDARD" and shown["metricFilterCount"] == 0, shown
    by_arn = logs.get_log_events(logGroupIdentifier=arn, logStreamName="web/1", startFromHead=True, limit=1)
    assert messages(by_arn["events"]) == whole[:1], by_arn


def filters():
    """Several streams are searched by page, in both directions, by words, names and times."""
    logs = boto3.client("logs")
    group, at = "/app/filter", now() - HOUR
    names = ["api/a", "api/b", "worker"]
    made(logs, group, *names)
    expected = []
    for number, name in enumerate(names):
        batch = [(at + 10 * n + number, f"{'ERROR' if n % 4 == 0 else 'info'} {name} {n}") for n in range(40)]
        put(logs, group, name, batch)
        expected += [(at, message, name) for at, message in batch]
    expected.sort()

    def search(size=7, **more):
        events = found(logs, group, PaginationConfig={"PageSize": size}, **more)
        assert len({event["eventId"] for event in events}) == len(events)
        return [(event["timestamp"], event["message"], event["logStreamName"]) for event in events]

    assert search() == expected
    assert search(size=120) == expected
    assert search(startFromHead=False) == expected[::-1]
    assert search(filterPattern="ERROR") == [e for e in expected if "ERROR" in e[1]]
    assert search(filterPattern="?api/a ?worker -ERROR") == [
        e for e in expected if e[2] != "api/b" and "ERROR" not in e[1]]
    assert search(filterPattern="nowhere") == []
    assert search(logStreamNames=["worker"]) == [e for e in expected if e[2] == "worker"]
    assert search(logStreamNames=["worker", "api/b"], filterPattern="ERROR") == [
        e for e in expected if e[2] != "api/a" and "ERROR" in e[1]]
    assert search(logStreamNamePrefix="api/") == [e for e in expected if e[2] != "worker"]
    assert search(startTime=at + 100, endTime=at + 110) == [e for e in expected if at + 100 <= e[0] <= at + 110]
    # A full last page has no token.
    page = logs.filter_log_events(logGroupName=group, limit=30, filterPattern="ERROR")
    assert len(page["events"]) == 30 and "nextToken" not in page, page
    refused("ResourceNotFoundException", logs.filter_log_events, logGroupName=group, logStreamNames=["none"])
    refused("InvalidParameterException", logs.filter_log_events, logGroupName=group, filterPattern="{ $.a = 1 }")
    # Events whose bytes are more than a page has.
    made(logs, "/app/large", "s")
    for n in range(3):
        put(logs, "/app/large", "s", [(at + n, f"{n}" * (900 << 10))])
    assert [m[0] for m in messages(found(logs, "/app/large"))] == ["0", "1", "2"]


def retention():
    """What a group no longer keeps is not shown; only AWS's numbers of days are taken."""
    logs = boto3.client("logs")
    group, at = "/app/retention", now()
    made(logs, group, "s")
    for days in (10, 5, 1):
        put(logs, group, "s", [(at - days * DAY, f"{days} days")])
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName=group, retentionInDays=8)
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    [shown] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert shown["retentionInDays"] == 7 and shown["storedBytes"] == 2 * (6 + OVERHEAD), shown
    assert messages(found(logs, group)) == ["5 days", "1 days"]
    here = {"logGroupName": group, "logStreamName": "s"}
    assert messages(logs.get_log_events(**here)["events"]) == ["5 days", "1 days"]
    # What is over already is refused by its place.
    batch = [{"timestamp": at - days * DAY, "message": "m"} for days in (20, 8, 0)]
    rejected = logs.put_log_events(logEvents=batch, **here)["rejectedLogEventsInfo"]
    assert rejected == {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2}, rejected
    logs.delete_retention_policy(logGroupName=group)
    [shown] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert "retentionInDays" not in shown, shown


def tags():
    """Tags by ARN and by name."""
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="/app/tags", tags={"team": "web"}, kmsKeyId="arn:aws:kms:::key/1",
                          logGroupClass="INFREQUENT_ACCESS")
    [shown] = logs.describe_log_groups(logGroupNamePrefix="/app/tags", logGroupClass="INFREQUENT_ACCESS")["logGroups"]
    assert shown["kmsKeyId"] == "arn:aws:kms:::key/1", shown
    arn = shown["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"cost": "7", "team": "shop"})
    logs.tag_log_group(logGroupName="/app/tags", tags={"old": "way"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"cost": "7", "team": "shop", "old": "way"}
    logs.untag_resource(resourceArn=arn, tagKeys=["cost", "none"])
    logs.untag_log_group(logGroupName="/app/tags", tags=["old"])
    assert logs.list_tags_log_group(logGroupName="/app/tags")["tags"] == {"team": "shop"}
    refused("InvalidParameterException", logs.tag_resource, resourceArn=arn, tags={f"k{n}": "" for n in range(50)})
    refused("ResourceNotFoundException", logs.list_tags_for_resource, resourceArn=arn + "x")
    # They go with their group.
    logs.delete_log_group(logGroupName="/app/tags")
    logs.create_log_group(logGroupName="/app/tags")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def lists():
    """Groups of users and of runs in one list; streams by name and by event; deletions."""
    logs = boto3.client("logs")
    of_runs = "/aws-glue/jobs/output"
    own = ["/aws-a", "/aws-glue/jobs/other", "/aws-z", "zebra"]
    for name in own:
        logs.create_log_group(logGroupName=name)

    def names(**more):
        pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2}, **more)
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    everything = names()
    assert everything == sorted(set(everything)) and set(own) <= set(everything) and of_runs in everything, everything
    assert names(logGroupNamePrefix="/aws-glue/jobs/") == [
        "/aws-glue/jobs/error", "/aws-glue/jobs/logs-v2", "/aws-glue/jobs/other", of_runs]
    assert names(logGroupNamePattern="zeb") == ["zebra"] and names(logGroupNamePattern="Zeb") == []
    for call, more in [
        (logs.create_log_stream, {"logStreamName": "s"}), (logs.delete_log_group, {}),
        (logs.put_retention_policy, {"retentionInDays": 1}),
        (logs.put_log_events, {"logStreamName": "s", "logEvents": [{"timestamp": now(), "message": "m"}]}),
    ]:
        error = refused("InvalidParameterException", call, logGroupName=of_runs, **more)
        assert "logs of runs" in str(error), error
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=of_runs)

    at = now()
    for number, name in enumerate(["b", "a", "d", "c"]):
        logs.create_log_stream(logGroupName="zebra", logStreamName=name)
        put(logs, "zebra", name, [(at + number, name)])

    def streams(**more):
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName="zebra", PaginationConfig={"PageSize": 3}, **more)
        return "".join(stream["logStreamName"] for page in pages for stream in page["logStreams"])

    assert streams() == "abcd" and streams(descending=True) == "dcba"
    assert streams(orderBy="LastEventTime") == "badc" and streams(orderBy="LastEventTime", descending=True) == "cdab"
    assert streams(logStreamNamePrefix="c") == "c"
    logs.delete_log_stream(logGroupName="zebra", logStreamName="d")
    refused("ResourceNotFoundException", logs.get_log_events, logGroupName="zebra", logStreamName="d")
    assert streams() == "abc" and messages(found(logs, "zebra")) == ["b", "a", "c"]
    logs.create_log_stream(logGroupName="zebra", logStreamName="d")
    assert logs.get_log_events(logGroupName="zebra", logStreamName="d")["events"] == []
    for name in own:
        logs.delete_log_group(logGroupName=name)
        refused("ResourceNotFoundException", logs.describe_log_streams, logGroupName=name)
    assert not set(own) & set(names())


def together():
    """Eight threads put into one stream; every event is there once."""
    logs = boto3.client("logs")
    made(logs, "/app/together", "s")

    def work(thread):
        client = boto3.session.Session().client("logs")
        for batch in range(50):
            at = now()
            put(client, "/app/together", "s", [(at, f"{thread}.{batch}.{n}") for n in range(3)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    events = found(logs, "/app/together")
    wanted = sorted(f"{thread}.{batch}.{n}" for thread in range(8) for batch in range(50) for n in range(3))
    assert sorted(messages(events)) == wanted, len(events)
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert len({event["eventId"] for event in events}) == len(events)
    [shown] = logs.describe_log_groups(logGroupNamePrefix="/app/together")["logGroups"]
    assert shown["storedBytes"] == sum(len(message) + OVERHEAD for message in wanted), shown


def kept():
    """What was put by the others is still there."""
    logs = boto3.client("logs")
    assert len(found(logs, "/app/together")) == 1200
    whole = found(logs, "/app/orders", logStreamNames=["web/1"])
    assert len(whole) == 28 and whole[-1]["message"] == "later", whole


main(globals())
