"""The stream cases of `run.py`: durable puts over HTTP, many readers, windows of events, delivery."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import door
from jobs import cases as jobs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLINK = ROOT / ".venv-flink"
EVENTS = 2_000_000
OPEN_KEYS = 1_000_000
BATCH = 500
# Seconds after which a process is stopped.
LONGEST = 600
FLINKS_SETTINGS = "SET 'execution.target' = 'local';\nSET 'parallelism.default' = '2';\nSET 'table.dml-sync' = 'true';\n"


def script(path, time_type, events, windows):
    """Writes the windows' script for an engine."""
    text = (HERE / "windows.sql").read_text()
    for name, value in (("@TIME@", time_type), ("@EVENTS@", events), ("@WINDOWS@", windows)):
        text = text.replace(name, value)
    path.write_text(text)
    return path


def measured(command):
    """Seconds, CPU seconds and peak MB of a whole process that must succeed."""
    found = jobs.measured(command, LONGEST)
    if found["code"] != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {found['code']}: {found['error']}")
    return found


def task(path, events, components=20, metrics=10):
    """The generator's task for that many events, one of each metric a second."""
    metric = {"unit": "percent", "minValue": 1, "maxValue": 99}
    path.write_text(json.dumps({
        "@type": "kinesis-metrics-stream", "randomSeed": 5, "stream": {"region": "eu-central-1", "streamName": "metrics"},
        "iterationsNumber": events // (components * metrics),
        "timer": {"@type": "realtime", "startTime": "2026-03-02T00:00:00.000Z", "rateMillis": 1000},
        "metrics": {f"component-{c}": {f"metric-{m}": metric for m in range(metrics)} for c in range(components)},
    }))
    return path


class Bench:
    def __init__(self, folder, glulam, runs, scale):
        self.folder, self.glulam, self.runs = folder, glulam, runs
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "events").mkdir(parents=True)
        self.count = max(1, int(EVENTS * scale) // 200_000) * 200_000
        self.keys = int(OPEN_KEYS * scale)
        self.events = folder / "events/events.jsonl"
        self.run("gen", task(folder / "task.json", self.count), "--output", self.events)
        self.bytes = self.events.stat().st_size
        self.lines = []

    def run(self, *arguments, data=None):
        command = [self.glulam, "--quiet", *(["--data", data] if data else []), *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def say(self, what, measured, beside=""):
        self.lines.append(f"| {what} | {measured} | {beside} |")
        print(self.lines[-1], flush=True)

    # --- the door ----------------------------------------------------------------------------------------------------

    def clients(self, arguments):
        """Lets processes of client.py begin together; what each found, and the seconds until the last was done."""
        processes = [
            subprocess.Popen([sys.executable, HERE / "client.py", *map(str, one)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True) for one in arguments
        ]
        for process in processes:
            if process.stdout.readline() != "ready\n":
                sys.exit("a client did not begin")
        begun = time.perf_counter()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        found = [process.communicate()[0] for process in processes]
        seconds = time.perf_counter() - begun
        if any(process.returncode for process in processes):
            sys.exit("a client failed")
        return [json.loads(text) for text in found], seconds

    def appended(self, is_durable):
        """Seconds of appending the same events to a file, a batch at a time."""
        path = self.folder / "appended"
        with open(self.events, "rb") as lines, open(path, "wb", buffering=0) as file:
            batch = self.bytes // (self.count // BATCH)
            begun = time.perf_counter()
            while data := lines.read(batch):
                file.write(data)
                if is_durable:
                    os.fdatasync(file.fileno())
            os.fsync(file.fileno())
            seconds = time.perf_counter() - begun
        path.unlink()
        return seconds

    def puts_and_reads(self):
        puts, waits, bound, durable, reads = [], [], [], [], []
        producers, shards, consumers = 4, 4, 10
        for turn in range(self.runs + 1):
            server = door.Server(self.glulam, self.folder / "door")
            kinesis = server.client("kinesis")
            kinesis.create_stream(StreamName="metrics", ShardCount=shards)
            kinesis.get_waiter("stream_exists").wait(StreamName="metrics", WaiterConfig={"Delay": 1})
            share = self.count // producers
            found, seconds = self.clients(
                ["put", server.url, "metrics", self.events, number * share, share] for number in range(producers))
            names = [shard["ShardId"] for shard in kinesis.list_shards(StreamName="metrics")["Shards"]]
            fractions = [["get", server.url, "metrics", name] for name in names]
            # Every consumer reads every shard, as an application of its own would.
            counts, reading = self.clients(fractions * consumers)
            if sum(counts) != self.count * consumers:
                sys.exit(f"{consumers} consumers read {sum(counts)} records of {self.count}")
            server.end()
            if turn:
                puts.append(seconds)
                waits.extend(one for each in found for one in each)
                reads.append(reading)
                bound.append(self.appended(False))
                durable.append(self.appended(True))
        shutil.rmtree(self.folder / "door")
        seconds, bound, durable = map(statistics.median, (puts, bound, durable))
        waits.sort()
        self.say(f"durable puts by HTTP, {BATCH} a request, {producers} producers, {shards} shards",
                 f"{self.count / seconds:,.0f} records/s, {self.bytes / seconds / 1e6:,.0f} MB/s; "
                 f"median {waits[len(waits) // 2] * 1000:.1f} ms, 99th percentile {waits[len(waits) * 99 // 100] * 1000:.1f} ms",
                 f"raw append of the same batches {self.bytes / bound / 1e6:,.0f} MB/s ({bound / seconds:.2f}), "
                 f"each made durable {self.bytes / durable / 1e6:,.0f} MB/s ({durable / seconds:.2f})")
        reading = statistics.median(reads)
        self.say(f"{consumers} consumers of {shards} shards by GetRecords, from the beginning",
                 f"{self.count * consumers / reading:,.0f} records/s in all, {self.count / reading:,.0f} each")

    # --- windows -----------------------------------------------------------------------------------------------------

    def log(self, name, shards, events):
        """A data directory whose stream holds the file's lines; seconds of putting them there."""
        data = self.folder / name
        shutil.rmtree(data, ignore_errors=True)
        (data / "buckets/out").mkdir(parents=True)
        self.run("stream", "create", "metrics", "--shards", shards, data=data)
        begun = time.perf_counter()
        self.run("stream", "put", "metrics", events, data=data)
        return data, time.perf_counter() - begun

    def windows(self, data):
        """Windows over the log; measured, with the rows."""
        shutil.rmtree(data / "buckets/out")
        (data / "buckets/out").mkdir()
        path = script(self.folder / "glulam.sql", "TIMESTAMP(3)",
                      "'connector' = 'kinesis', 'stream' = 'metrics', 'scan.stream.initpos' = 'TRIM_HORIZON'",
                      "'connector' = 'filesystem', 'path' = 's3://out/', 'format' = 'parquet'")
        found = measured([self.glulam, "--data", data, "--quiet", "stream", "run", path, "--from-start", "--until-caught-up"])
        rows = self.rows(f"read_parquet('{data}/buckets/out/**/*.parquet')", "fromTimestamp")
        return found, rows

    def flink(self):
        out = self.folder / "flink"
        shutil.rmtree(out, ignore_errors=True)
        path = script(self.folder / "flink.sql", "TIMESTAMP_LTZ(3)", f"'connector' = 'filesystem', 'path' = 'file://{self.events.parent}'",
                      f"'connector' = 'filesystem', 'path' = 'file://{out}', 'format' = 'csv'")
        path.write_text(FLINKS_SETTINGS + path.read_text())
        found = measured([sys.executable, HERE / "flink.py", FLINK, path])
        columns = "{componentName: 'VARCHAR', metricName: 'VARCHAR', minValue: 'DOUBLE', maxValue: 'DOUBLE', fromTimestamp: 'TIMESTAMP'}"
        return found, self.rows(f"read_csv('{out}/**/part-*', header = false, columns = {columns})", "fromTimestamp")

    def rows(self, source, start):
        import duckdb
        query = f"SELECT componentName, metricName, minValue, maxValue, {start} AS fromTimestamp FROM {source} ORDER BY ALL"
        return duckdb.sql("SET TimeZone = 'UTC'; " + query).fetchall()

    def expected(self):
        """The windows by a plain batch computation."""
        time_of = "time_bucket(INTERVAL 5 MINUTES, publicationTimestamp::TIMESTAMP)"
        grouped = f"(SELECT componentName, metricName, min(value) AS minValue, max(value) AS maxValue, {time_of} AS t FROM read_json('{self.events}') GROUP BY ALL)"
        return self.rows(grouped, "t")

    def windowed(self):
        expected = self.expected()
        data, put = self.log("one", 1, self.events)
        self.say("`glulam stream put` of a file, durable, one shard", f"{self.count / put:,.0f} records/s")
        engines = {"Glulam, from its log": lambda: self.windows(data)}
        if FLINK.is_dir() and shutil.which("java"):
            engines["Flink SQL 2.3, from the file, two tasks"] = self.flink
        found = {name: [] for name in engines}
        for turn in range(self.runs + 1):
            for name, engine in engines.items():
                one, rows = engine()
                if rows != expected:
                    sys.exit(f"{name}: {len(rows)} windows, not the {len(expected)} of a batch computation, or others")
                if turn:
                    found[name].append(one)
        for name, all_of_it in found.items():
            seconds, cpu, mb = (statistics.median(one[part] for one in all_of_it) for part in ("seconds", "cpu", "mb"))
            self.say(f"windows of five minutes of {self.count:,} JSON events, start included: {name}",
                     f"{seconds:.2f} s, {cpu:.2f} CPU s, {mb:,.0f} MB; {self.count / cpu / 1e6:.2f} M events per CPU second",
                     "windows equal to a batch computation")
        return data, expected

    def sharded(self, one, expected):
        """The windows from one shard and from a hundred, in turn."""
        hundred, _ = self.log("hundred", 100, self.events)
        found = {one: [], hundred: []}
        for turn in range(2 * self.runs + 1):
            for data in found:
                measures, rows = self.windows(data)
                if rows != expected:
                    sys.exit(f"{data.name}: {len(rows)} windows, not the {len(expected)} of a batch computation, or others")
                if turn:
                    found[data].append(measures["cpu"])
        of_one, cpu = (statistics.median(found[data]) for data in (one, hundred))
        self.say("the same by Glulam from 100 shards, in turn with one shard", f"{cpu:.2f} CPU s", f"one shard: {of_one:.2f} CPU s ({cpu / of_one:.2f})")
        shutil.rmtree(hundred)

    def open_keys(self):
        path = self.folder / "keys.jsonl"
        with open(path, "w") as lines:
            for number in range(2 * self.keys):
                lines.write(f'{{"componentName":"component-{number % self.keys}","metricName":"m","unit":"u","value":{number},'
                            '"publicationTimestamp":"2026-03-02T00:00:00.000Z"}\n')
        data, _ = self.log("keys", 1, path)
        found, rows = self.windows(data)
        if len(rows) != self.keys:
            sys.exit(f"{len(rows)} windows of {self.keys}")
        self.say(f"{self.keys:,} open keys in one window, {2 * self.keys:,} events", f"{found['mb']:,.0f} MB, {found['seconds']:.1f} s")
        shutil.rmtree(data)
        path.unlink()

    def delivered(self):
        """From a put to the object that holds it, with no buffering and with a second of it."""
        server = door.Server(self.glulam, self.folder / "door")
        s3, firehose = server.client("s3"), server.client("firehose")
        s3.create_bucket(Bucket="delivered", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for hold in (0, 1):
            name = f"after-{hold}"
            firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::123456789012:role/delivery", "BucketARN": "arn:aws:s3:::delivered",
                "Prefix": f"{name}/", "BufferingHints": {"IntervalInSeconds": hold, "SizeInMBs": 64}})
            took = []
            for turn in range(12):
                begun = time.perf_counter()
                firehose.put_record(DeliveryStreamName=name, Record={"Data": b'{"n":1}\n'})
                while s3.list_objects_v2(Bucket="delivered", Prefix=f"{name}/")["KeyCount"] <= turn:
                    time.sleep(0.002)
                took.append(time.perf_counter() - begun)
            self.say(f"from a put to its object by Firehose, buffered {hold} s", f"{statistics.median(took[2:]) * 1000:,.0f} ms")
        server.end()
        shutil.rmtree(self.folder / "door")


def measure(glulam, data, runs, scale):
    """The part of the results, as Markdown."""
    bench = Bench(data / "streams", Path(glulam).resolve(), runs, scale)
    bench.puts_and_reads()
    bench.sharded(*bench.windowed())
    bench.open_keys()
    bench.delivered()
    shutil.rmtree(bench.folder)
    return "\n".join(["## Streams", "", "| what | measured | beside |", "|---|---|---|", *bench.lines])
