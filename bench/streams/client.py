"""One producer or consumer of the Kinesis door, as a process of its own that costs as little as it can.

    client.py put URL STREAM EVENTS FIRST COUNT     lines of a file, 500 a request; signed before the clock starts
    client.py get URL STREAM SHARD                  a shard from its beginning until there is nothing more

Says `ready`, waits for a line, works, and prints what it found as JSON."""

import base64
import http.client
import itertools
import json
import re
import sys
import time
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

BATCH = 500
SIGNER = SigV4Auth(Credentials("test", "test"), "kinesis", "eu-central-1")


class Client:
    def __init__(self, url):
        self.url = url
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def signed(self, operation, fields):
        body = json.dumps(fields).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}"}
        request = AWSRequest("POST", self.url, headers=headers, data=body)
        SIGNER.add_auth(request)
        return body, dict(request.headers.items())

    def send(self, body, headers):
        self.connection.request("POST", "/", body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{answer.status}: {text[:500]}")
        return text

    def call(self, operation, **fields):
        return self.send(*self.signed(operation, fields))


def wait():
    print("ready", flush=True)
    sys.stdin.readline()


def put(url, stream, events, first, count):
    client, requests = Client(url), []
    with open(events, "rb") as lines:
        lines = itertools.islice(lines, int(first), int(first) + int(count))
        while batch := list(itertools.islice(lines, BATCH)):
            records = [{"Data": base64.b64encode(line.rstrip()).decode(), "PartitionKey": str(hash(line))} for line in batch]
            requests.append(client.signed("PutRecords", {"StreamName": stream, "Records": records}))
    wait()
    took = []
    for body, headers in requests:
        begun = time.perf_counter()
        text = client.send(body, headers)
        took.append(time.perf_counter() - begun)
        if b'"FailedRecordCount":0' not in text.replace(b" ", b""):
            sys.exit(f"records were refused: {text[:500]}")
    return took


def get(url, stream, shard):
    client = Client(url)
    iterator = json.loads(client.call("GetShardIterator", StreamName=stream, ShardId=shard,
                                      ShardIteratorType="TRIM_HORIZON"))["ShardIterator"]
    wait()
    count = 0
    while True:
        text = client.call("GetRecords", ShardIterator=iterator, Limit=10_000)
        found = text.count(b'"PartitionKey"')
        if not found:
            return count
        count += found
        iterator = re.search(rb'"NextShardIterator":\s*"([^"]+)"', text)[1].decode()


if __name__ == "__main__":
    print(json.dumps({"put": put, "get": get}[sys.argv[1]](*sys.argv[2:])), flush=True)
