"""The AWS door under load: how soon it answers, how much it holds, how long a statement takes, how many it serves."""

import collections
import concurrent.futures
import functools
import hashlib
import http.client
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

from lean import Lean

KEY = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-central-1"}
# What is promised; a run that breaks a promise fails.
MOST_READY_MS = 200
MOST_IDLE_MB = 60
MOST_SELECT_MS = 10


class Server:
    """The binary on a data directory of its own and a free port."""

    def __init__(self, glulam, folder, *settings):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [glulam, "--data", folder / "data", "--quiet", *(part for one in settings for part in ("--set", one)), "up", "--aws", "127.0.0.1:0",
             "--console", "127.0.0.1:0", "--pg", "off"],
            stdout=subprocess.PIPE, text=True,
        )
        line = self.process.stdout.readline()
        self.ready = time.perf_counter() - begun
        self.url = line.split("aws=")[1].split()[0]

    def memory(self):
        """Resident MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def client(self, name, connections=10):
        import boto3
        from botocore.config import Config
        config = Config(max_pool_connections=connections, retries={"max_attempts": 1}, read_timeout=60)
        return boto3.client(name, endpoint_url=self.url, config=config, **KEY)

    def end(self):
        self.process.terminate()
        if self.process.wait(60) != 0:
            sys.exit(f"the server ended with {self.process.returncode}")


def select_1(server, count):
    """Seconds of a statement from its start to its rows: by a client that costs little, by boto3, and boto3's for as
    many plain requests."""
    s3, boto, sts = server.client("s3"), server.client("athena"), server.client("sts")
    s3.create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    lean = Lean(server.url, "athena", "AmazonAthena").call

    def by_boto(operation, **fields):
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
        return getattr(boto, name)(**fields)

    def statement(call, pause):
        requests = 3
        query = call("StartQueryExecution", QueryString="SELECT 1",
                     ResultConfiguration={"OutputLocation": "s3://results/"})["QueryExecutionId"]
        while call("GetQueryExecution", QueryExecutionId=query)["QueryExecution"]["Status"]["State"] not in (
                "SUCCEEDED", "FAILED"):
            requests += 1
            time.sleep(pause)
        rows = call("GetQueryResults", QueryExecutionId=query)["ResultSet"]["Rows"]
        assert [row["Data"][0]["VarCharValue"] for row in rows] == ["_col0", "1"], rows
        return requests

    def seconds(work):
        begun = time.perf_counter()
        made = work()
        return time.perf_counter() - begun, made

    light, heavy, plain = [], [], []
    for turn in range(count + count // 5):
        # Who asks without a pause takes a core from the server.
        one, _ = seconds(lambda: statement(lean, 0.0005))
        two, requests = seconds(lambda: statement(by_boto, 0))
        three, _ = seconds(lambda: [sts.get_caller_identity() for _ in range(requests)])
        if turn >= count // 5:
            for list_, value in ((light, one), (heavy, two), (plain, three)):
                list_.append(value)
    return statistics.median(light), statistics.median(heavy), statistics.median(plain)


def digest(body):
    """The MD5 of an object that is being got."""
    md5 = hashlib.md5()
    for piece in body.iter_chunks(1 << 20):
        md5.update(piece)
    return md5.hexdigest()


def sent(url, path, start, count):
    """Puts a piece of a file; its ETag."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc)
    connection.putrequest("PUT", f"{place.path}?{place.query}")
    connection.putheader("Content-Length", str(count))
    connection.endheaders()
    with open(path, "rb") as file:
        connection.sock.sendfile(file, start, count)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return answer.headers["ETag"]


def put_in_parts(s3, path, size, part=64 << 20, at_once=4):
    """A multipart upload, several parts at a time."""
    name = {"Bucket": "large", "Key": "parts.bin"}
    upload = s3.create_multipart_upload(**name)["UploadId"]
    starts = dict(enumerate(range(0, size, part), 1))
    urls = {number: s3.generate_presigned_url("upload_part", Params={**name, "UploadId": upload, "PartNumber": number})
            for number in starts}
    with concurrent.futures.ThreadPoolExecutor(at_once) as threads:
        tags = threads.map(lambda one: sent(urls[one], path, starts[one], min(part, size - starts[one])), starts)
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in zip(starts, tags)]
    s3.complete_multipart_upload(**name, UploadId=upload, MultipartUpload={"Parts": parts})


def large(server, fast, folder, size=1 << 30, runs=5):
    """MB/s of a large object by HTTP beside plain copies of the same file: put at once and in parts, by a server that makes
    MD5s and by one that does not, all made durable; and got; and of its MD5, than which no put is faster. They are measured
    in turn; medians."""
    s3, lean = server.client("s3"), fast.client("s3")
    place = {"LocationConstraint": "eu-central-1"}
    for client in (s3, lean):
        client.create_bucket(Bucket="large", CreateBucketConfiguration=place)
    source, copy = folder / "large.bin", folder / "large.copy"
    block = os.urandom(1 << 20)
    with source.open("wb") as file:
        for _ in range(size >> 20):
            file.write(block)
    url = {name: s3.generate_presigned_url(f"{name}_object", Params={"Bucket": "large", "Key": "large.bin"})
           for name in ("put", "get")}
    quick = lean.generate_presigned_url("put_object", Params={"Bucket": "large", "Key": "large.bin"})
    run = functools.partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    commands = {
        "put": lambda: run(["curl", "-sSf", "-T", source, url["put"]]),
        "put fast": lambda: run(["curl", "-sSf", "-T", source, quick]),
        "parts": lambda: put_in_parts(s3, source, size),
        "parts fast": lambda: put_in_parts(lean, source, size),
        "summed": lambda: run(["md5sum", source]),
        "copied": lambda: run(["dd", f"if={source}", f"of={copy}", "bs=1M", "conv=fsync", "status=none"]),
        "got": lambda: run(["curl", "-sSf", "-o", "/dev/null", url["get"]]),
        "read": lambda: run(["dd", f"if={source}", "of=/dev/null", "bs=1M", "status=none"]),
    }
    taken = collections.defaultdict(list)
    for _ in range(runs):
        for what, command in commands.items():
            begun = time.perf_counter()
            command()
            taken[what].append(time.perf_counter() - begun)
    stored = s3.head_object(Bucket="large", Key="large.bin")
    assert stored["ContentLength"] == size, stored
    assert stored["ETag"].strip('"') == hashlib.md5(block * (size >> 20)).hexdigest(), stored["ETag"]
    for client in (s3, lean):
        for name in ("large.bin", "parts.bin"):
            got = client.get_object(Bucket="large", Key=name)["Body"]
            assert digest(got) == stored["ETag"].strip('"'), name
            client.delete_object(Bucket="large", Key=name)
    for file in (source, copy):
        file.unlink()
    return {what: size / 1e6 / statistics.median(times) for what, times in taken.items()}


def many(server, clients, seconds):
    """Requests of all sorts by that many clients at once: how many were served, and what failed."""
    s3, glue, athena, sts = (server.client(name, clients + 10) for name in ("s3", "glue", "athena", "sts"))
    place = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="load", CreateBucketConfiguration=place)
    s3.create_bucket(Bucket="load-results", CreateBucketConfiguration=place)
    glue.create_database(DatabaseInput={"Name": "load"})
    s3.put_object(Bucket="load", Key="rows/a.csv", Body=b"1,one\n2,two\n")
    glue.create_table(DatabaseName="load", TableInput={
        "Name": "rows", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {
            "Columns": [{"Name": "id", "Type": "int"}, {"Name": "name", "Type": "string"}],
            "Location": "s3://load/rows/", "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                          "Parameters": {"field.delim": ","}}}})
    body = os.urandom(20_000)

    def put(me):
        s3.put_object(Bucket="load", Key=f"objects/{me}/{random.randrange(50)}", Body=body)

    def get(_):
        assert s3.get_object(Bucket="load", Key="rows/a.csv")["Body"].read() == b"1,one\n2,two\n"

    def ask(_):
        query = athena.start_query_execution(
            QueryString="SELECT count(*) FROM load.rows",
            ResultConfiguration={"OutputLocation": "s3://load-results/"})["QueryExecutionId"]
        while True:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                break
            time.sleep(0.05)
        assert status["State"] == "SUCCEEDED", status
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        assert rows[1]["Data"][0]["VarCharValue"] == "2", rows

    work = [
        (put, 4), (get, 6), (ask, 1),
        (lambda me: s3.list_objects_v2(Bucket="load", Prefix=f"objects/{me}/"), 3),
        (lambda _: glue.get_table(DatabaseName="load", Name="rows"), 4),
        (lambda _: sts.get_caller_identity(), 2),
    ]
    choices, weights = [one for one, _ in work], [weight for _, weight in work]
    served, failures, lock = collections.Counter(), [], threading.Lock()
    end = time.monotonic() + seconds

    def client(me):
        done = 0
        while time.monotonic() < end:
            try:
                random.choices(choices, weights)[0](me)
                done += 1
            except Exception as error:  # whatever a client gets is a failure of the server
                with lock:
                    failures.append(f"{type(error).__name__}: {error}")
        with lock:
            served["all"] += done

    threads = [threading.Thread(target=client, args=(me,)) for me in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return served["all"], failures


def measure(glulam, data, runs, seconds=60):
    """Rows of a table, and what broke a promise."""
    broken, rows = [], []
    ready, idle = [], []
    for _ in range(runs + 1):
        server = Server(glulam, data / "door")
        server.client("sts").get_caller_identity()
        time.sleep(1)
        ready.append(server.ready * 1000)
        idle.append(server.memory())
        server.end()
    ready, idle = statistics.median(ready[1:]), statistics.median(idle[1:])
    rows.append(("ready to answer after its start", f"{ready:.0f} ms", f"at most {MOST_READY_MS} ms"))
    rows.append(("idle, resident", f"{idle:.0f} MB", f"at most {MOST_IDLE_MB} MB"))
    server = Server(glulam, data / "door")
    statement, boto, plain = select_1(server, 250)
    rows.append(("`SELECT 1` by Athena's API: start, poll, rows", f"{statement * 1000:.1f} ms",
                 f"at most {MOST_SELECT_MS} ms"))
    rows.append(("the same by boto3", f"{boto * 1000:.1f} ms",
                 f"as many GetCallerIdentity by boto3: {plain * 1000:.1f} ms"))
    fast = Server(glulam, data / "fast", "aws.etags=fast")
    speed = large(server, fast, data)
    fast.end()
    shutil.rmtree(data / "fast", ignore_errors=True)
    rows.append(("an object of 1 GiB put by HTTP, MD5 taken, durable", f"{speed['put']:,.0f} MB/s",
                 f"`dd` to a file, made durable: {speed['copied']:,.0f} MB/s; "
                 f"`md5sum` alone: {speed['summed']:,.0f} MB/s"))
    rows.append(("the same in parts of 64 MiB, four at a time", f"{speed['parts']:,.0f} MB/s", ""))
    rows.append(('put without an MD5 (`aws.etags = "fast"`), durable', f"{speed['put fast']:,.0f} MB/s",
                 f"in parts: {speed['parts fast']:,.0f} MB/s"))
    rows.append(("the same got", f"{speed['got']:,.0f} MB/s", f"`dd` of the file: {speed['read']:,.0f} MB/s"))
    served, failures = many(server, 200, seconds)
    rows.append((f"200 clients for {seconds} s, mixed operations", f"{served / seconds:,.0f} a second, {len(failures)} failed",
                 "none failed"))
    rows.append(("resident after that", f"{server.memory():.0f} MB", ""))
    server.end()
    shutil.rmtree(data / "door", ignore_errors=True)
    for what, is_kept in (("ready too late", ready <= MOST_READY_MS), ("idles too large", idle <= MOST_IDLE_MB),
                          ("SELECT 1 too slow", statement * 1000 <= MOST_SELECT_MS)):
        if not is_kept:
            broken.append(f"door: {what}")
    broken += [f"door: {text} ({count} times)" for text, count in collections.Counter(failures).most_common(5)]
    heading = ["## The AWS door", "", "| what | measured | promised |", "|---|---|---|"]
    return "\n".join(heading + [f"| {' | '.join(row)} |" for row in rows]), broken
