"""A producer that does not give up: it puts numbered events in order, each until it is acknowledged, while the server that
takes them is killed and started again. Where the server is now stands in the file `url`; what is acknowledged it prints."""

import datetime
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
COMPONENTS = ["order-service", "user-service", "mail-service", "stock-service"]


def client():
    """A client of the server that is there now."""
    with open("url", encoding="utf-8") as file:
        url = file.read().strip()
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
    return boto3.client("kinesis", endpoint_url=url, config=once)


def entry(number, step):
    at = START + datetime.timedelta(milliseconds=number * step)
    event = {
        "componentName": COMPONENTS[number % len(COMPONENTS)],
        "metricName": "cpu",
        "value": number,
        "publicationTimestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z",
    }
    return {"Data": json.dumps(event).encode(), "PartitionKey": f"key-{number % 16}"}


def main(count, batch, step):
    kinesis, unanswered = client(), 0
    for first in range(0, count, batch):
        waiting = [entry(number, step) for number in range(first, min(first + batch, count))]
        while waiting:
            try:
                answer = kinesis.put_records(StreamName="metrics", Records=waiting)
            except (BotoCoreError, ClientError) as error:
                # Nobody has said whether these are kept: they are put again, and may be there twice.
                unanswered += 1
                print(f"unanswered {type(error).__name__}", file=sys.stderr, flush=True)
                time.sleep(0.02)
                kinesis = client()
                continue
            waiting = [one for one, said in zip(waiting, answer["Records"]) if "ErrorCode" in said]
        print(min(first + batch, count), flush=True)
    print(f"unanswered {unanswered}", file=sys.stderr)


main(*map(int, sys.argv[1:]))
