"""One producer or consumer of the Kinesis door, as a process of its own that costs as little as it can.

    client.py put URL STREAM EVENTS FIRST COUNT     lines of a file, 500 a request; signed before the clock starts
    client.py get URL STREAM SHARD                  a shard from its beginning until there is nothing more

Says `ready`, waits for a line, works, and prints what it found as JSON."""

import base64
import itertools
import json
import re
import socket
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
        place = urlsplit(url)
        self.connection = socket.create_connection((place.hostname, place.port))

    def signed(self, operation, fields):
        """A whole request, as bytes."""
        body = json.dumps(fields).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}"}
        request = AWSRequest("POST", self.url, headers=headers, data=body)
        SIGNER.add_auth(request)
        fields = {"Host": urlsplit(self.url).netloc, "Content-Length": len(body), **dict(request.headers.items())}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body

    def send(self, request):
        """The answer's body. Written by hand: a library would take the cores that the server is measured on."""
        self.connection.sendall(request)
        text = self.received()
        while (end := text.find(b"\r\n\r\n")) < 0:
            text += self.received()
        head, parts = text[:end], [text[end + 4:]]
        left = int(re.search(rb"(?i)content-length: *(\d+)", head)[1]) - len(parts[0])
        while left > 0:
            parts.append(self.received())
            left -= len(parts[-1])
        body = b"".join(parts)
        if not head.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"{head[:50]}: {body[:500]}")
        return body

    def received(self):
        return self.connection.recv(1 << 20) or sys.exit("the connection broke off")

    def call(self, operation, **fields):
        return self.send(self.signed(operation, fields))


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
    for request in requests:
        begun = time.perf_counter()
        text = client.send(request)
        took.append(time.perf_counter() - begun)
        if not re.search(rb'"FailedRecordCount": ?0\b', text):
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
