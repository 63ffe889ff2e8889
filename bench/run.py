#!/usr/bin/env python3
"""Measures the generator, crawls, listings, the catalog, the doors, SQL and jobs; see README.md beside this file."""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import console
import door
from jobs import cases as jobs
from sqlbench import workloads
from streams import cases as streams

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "bench" / "data"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
GLULAM = Path(os.environ.get("GLULAM", TARGET / "release" / "glulam"))
# What `--scale` knows by name.
SCALES = {"small": 0.1, "large": 1.0}


def timed(command, cwd=None, env=None):
    """Seconds, peak MB and standard output of a whole process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    seconds = time.perf_counter() - begun
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{out}{err}")
    return seconds, out


def alternately(commands, runs):
    """Runs the named commands in turn; gives each one's median seconds and last output."""
    seconds = {name: [] for name in commands}
    outputs = {}
    for turn in range(runs + 1):
        for name, (before, command) in commands.items():
            before()
            took, outputs[name] = timed(command)
            if turn:
                seconds[name].append(took)
    return {name: statistics.median(values) for name, values in seconds.items()}, outputs


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def prepared(name, description, make):
    """A folder of data that is made once for a description."""
    folder = DATA / name
    stamp = folder / "description.json"
    text = json.dumps(description, sort_keys=True)
    if not stamp.exists() or stamp.read_text() != text:
        make(fresh(folder))
        stamp.write_text(text)
    return folder


def build(package=None, example=None):
    command = ["cargo", "build", "--release", "--quiet", "-p", package or "glulam"]
    if example:
        command += ["--example", example]
    subprocess.run(command, cwd=ROOT, check=True)


def generate(scale, runs):
    components = ["gateway", "order-service", "user-service", "payment-service", "inventory-service", "mail-service"]
    rows = int(10_000_000 * scale)
    metric = {"unit": "percent", "averageFrom": 10, "averageTo": 60, "minDiff": 1, "maxDiff": 8}
    windowed = {
        "@type": "windowed-metrics",
        "randomSeed": 1,
        "numberOfIterations": rows // 24,
        "timer": {"@type": "synthetic", "startTime": "2026-01-01T00:00:00.000Z", "stepMillis": 1000},
        "outputFilePath": "./out",
        "metrics": {c: {m: metric for m in ("cpu", "memory", "latency", "requests")} for c in components},
    }
    lines = int(5_000_000 * scale)
    logs = json.loads((ROOT / "examples/monitoring/tasks/access-logs.json").read_text())
    logs["numberOfIterations"] = max(1, lines * logs["numberOfIterations"] // 150_040)
    logs["timer"] = {"@type": "synthetic", "startTime": "2026-01-01T00:00:00.000Z", "stepMillis": 50}
    results = []
    for name, task in (("windowed CSV", windowed), ("access logs", logs)):
        folder = fresh(DATA / "generate")
        (folder / "task.json").write_text(json.dumps(task))
        out, copy = folder / "out", folder / "copy"
        commands = {
            "glulam": (lambda: shutil.rmtree(out, ignore_errors=True),
                       [GLULAM, "gen", folder / "task.json", "--output", f"{out}/", "--json", "--quiet"]),
            "cp": (lambda: shutil.rmtree(copy, ignore_errors=True), ["cp", "-r", out, copy]),
        }
        seconds, outputs = alternately(commands, runs)
        account = json.loads(outputs["glulam"])
        written = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
        assert written == account["bytes"], (written, account)
        results.append((f"generate {name}, {account['rows']:,} rows, {written / 1e6:,.0f} MB", seconds["glulam"],
                        f"{account['rows'] / seconds['glulam'] / 1e6:.1f} M rows/s", "cp", seconds["cp"]))
    shutil.rmtree(DATA / "generate")
    return results


def crawl(scale, runs):
    def csv_files(folder):
        task = folder / "task.json"
        for n in range(int(500 * scale) or 1):
            task.write_text(json.dumps({
                "@type": "windowed-metrics", "randomSeed": n, "numberOfIterations": 2000,
                "timer": {"@type": "synthetic", "startTime": "2026-01-01T00:00:00.000Z", "stepMillis": 300000},
                "outputFilePath": "./out",
                "metrics": {f"service-{n}": {"cpu": {"unit": "percent", "averageFrom": 10, "averageTo": 60, "minDiff": 1, "maxDiff": 8}}},
            }))
            timed([GLULAM, "gen", task, "--output", f"{folder}/glulam-data/buckets/bench/csv/", "--quiet"])
        task.unlink()

    def parquet_files(folder):
        import pyarrow as pa
        import pyarrow.parquet as pq
        table = pa.table({"id": list(range(100)), "speed": [float(n) for n in range(100)], "road": ["A1"] * 100})
        for n in range(int(2000 * scale) or 1):
            path = folder / "glulam-data/buckets/bench/parquet" / f"day={n // 24}" / f"hour={n % 24}"
            path.mkdir(parents=True)
            pq.write_table(table, path / "part-0.parquet")

    results = []
    cases = (("csv", csv_files, "read_csv('{0}/csv/*.csv')"),
             ("parquet", parquet_files, "read_parquet('{0}/parquet/**/*.parquet', hive_partitioning=true)"))
    for name, make, read in cases:
        folder = prepared(f"crawl-{name}", {"scale": scale, "case": name, "version": 2}, make)
        data, bucket = folder / "glulam-data", folder / "glulam-data/buckets/bench"
        files = sum(1 for f in bucket.rglob("*") if f.is_file())
        script = f"import duckdb; print(len(duckdb.sql(\"DESCRIBE SELECT * FROM {read.format(bucket)}\").fetchall()))"

        def forget():
            for leftover in data.iterdir():
                if leftover.name != "buckets":
                    shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

        commands = {
            "glulam": (forget, [GLULAM, "--data", data, "crawl", "s3://bench/", "--database", "bench", "--quiet"]),
            "duckdb": (lambda: None, [sys.executable, "-c", script]),
        }
        seconds, outputs = alternately(commands, runs)
        _, described = timed([GLULAM, "--data", data, "describe", f"bench.{name}", "--json"])
        table = json.loads(described)["entry"]["table"]
        columns = len(table["storage"]["columns"]) + len(table.get("partition_keys", []))
        assert columns == int(outputs["duckdb"]), (columns, outputs["duckdb"])
        results.append((f"crawl {files:,} {name} files", seconds["glulam"], f"{files / seconds['glulam']:,.0f} files/s",
                        "DuckDB DESCRIBE", seconds["duckdb"]))
    return results


SCANDIR = """
import os, sys
def walk(path):
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False): yield from walk(entry.path)
        else: yield entry.path, entry.stat().st_size
print(len(sorted(walk(sys.argv[1]))))
"""


def listing(scale, runs):
    build("lake", "listing")
    keys = int(200_000 * scale)

    def make(folder):
        for name, per_folder in (("one", keys), ("many", 100)):
            for n in range(keys):
                path = folder / "buckets" / name / f"{n // per_folder:05}"
                if n % per_folder == 0:
                    path.mkdir(parents=True)
                (path / f"{n:07}.json").touch()

    folder = prepared("listing", {"keys": keys, "version": 1}, make)
    results = []
    for name in ("one", "many"):
        for mode in ("whole", "pages"):
            commands = {
                "glulam": (lambda: None, [TARGET / "release/examples/listing", folder, name, mode]),
                "scandir": (lambda: None, [sys.executable, "-c", SCANDIR, folder / "buckets" / name]),
            }
            seconds, outputs = alternately(commands, runs)
            assert int(outputs["glulam"].split()[0]) == int(outputs["scandir"]) == keys, outputs
            results.append((f"listing {keys:,} keys, {name} folder{'s' if name == 'many' else ''}, {mode}", seconds["glulam"],
                            f"{keys / seconds['glulam'] / 1e3:,.0f} k keys/s", "os.scandir", seconds["scandir"]))
    return results


def partitions(scale, runs):
    build("catalog", "million_partitions")
    count = int(1_000_000 * scale)
    file = fresh(DATA / "partitions") / "state.db"
    seconds, out = timed([TARGET / "release/examples/million_partitions", str(count), file])
    print(out)
    shutil.rmtree(DATA / "partitions")
    return [(f"partitions: {line.strip()}", None, "", "", None) for line in out.splitlines() if line.strip()]


CASES = {"generate": generate, "crawl": crawl, "listing": listing, "partitions": partitions}


def scale(text):
    return SCALES[text] if text in SCALES else float(text)


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores{f' ({cpu[1]})' if cpu else ''}, {memory:.0f} GiB, {platform.system()}"


def write(found, arguments):
    """Puts what was measured into RESULTS.md; what was not measured this time stays. Each part begins with a mark."""
    path = ROOT / "bench" / "RESULTS.md"
    head, *parts = re.split(r"^<!-- (.*) -->\n", path.read_text() if path.exists() else "# Results\n\n", flags=re.MULTILINE)
    parts = dict(zip(parts[::2], parts[1::2]))
    for name, text in found.items():
        # The tables of jobs say it for each engine.
        runs = f"medians of {arguments.runs} runs" if name not in jobs.CASES else "medians"
        note = f"*Scale {arguments.scale:g}, {runs} on {machine()}, {time.strftime('%Y-%m-%d', time.gmtime())}.*"
        title, _, rest = text.partition("\n\n")
        parts[name] = f"{title}\n\n{note}\n\n{rest.strip()}\n\n"
    path.write_text(head + "".join(f"<!-- {name} -->\n{text}" for name, text in parts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*CASES, "door", "console", "streams", *workloads.CASES, *jobs.CASES]
    parser.add_argument("cases", nargs="*", choices=[*names, []], help="which to run; all if none is named")
    parser.add_argument("--scale", type=scale, default=1.0, help="share of the usual size, or small (0.1) or large (1)")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each, after one warm-up")
    parser.add_argument("--write", action="store_true", help="put the results into bench/RESULTS.md")
    parser.add_argument("--only-peers", action="store_true", help="SQL and job cases: the peers beside each other, without glulam")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=jobs.PEERS,
                        help=f"job cases: these peers only, of {','.join(jobs.PEERS)}")
    parser.add_argument("--timeout", type=float, default=600, help="job cases: seconds after which a run is stopped")
    parser.add_argument("--slow", type=float, default=60, help="job cases: an engine whose warm-up takes more seconds runs no second time")
    parser.add_argument("--keep", action="store_true", help="job cases: leave the engines' outputs where they are")
    arguments = parser.parse_args()
    if not (GLULAM.exists() and (arguments.only_peers or "GLULAM" in os.environ)):
        build()
    DATA.mkdir(parents=True, exist_ok=True)
    heading = ["## Rooms", "", "| what | median s | rate | beside | s | ratio |", "|---|---|---|---|---|---|"]
    lines, found, broken = [], {}, []
    sql = workloads.Bench(DATA / "sql", GLULAM, arguments.runs, arguments.only_peers)
    job = jobs.Bench(DATA / "jobs", GLULAM, arguments)
    for name in arguments.cases or names:
        if name in workloads.CASES or name in jobs.CASES:
            print(name, flush=True)
            table = workloads.CASES[name](sql, arguments.scale) if name in workloads.CASES else job.run(name)
            found[name] = table.markdown()
            print(found[name], flush=True)
            continue
        if name == "door":
            found[name], broken = door.measure(GLULAM, DATA, arguments.runs, max(5, round(60 * arguments.scale)))
            print(found[name], flush=True)
            continue
        if name in ("console", "streams"):
            case = console if name == "console" else streams
            found[name] = case.measure(GLULAM, DATA, arguments.runs, arguments.scale)
            print(found[name], flush=True)
            continue
        for what, seconds, rate, peer, peer_seconds in CASES[name](arguments.scale, arguments.runs):
            ratio = f"{seconds / peer_seconds:.2f}" if peer_seconds else ""
            lines.append(f"| {what} | {f'{seconds:.2f}' if seconds else ''} | {rate} | {peer} | "
                         f"{f'{peer_seconds:.2f}' if peer_seconds else ''} | {ratio} |")
            print(lines[-1], flush=True)
    if lines:
        found["rooms"] = "\n".join(heading + lines)
    if arguments.write:
        write(found, arguments)
    if failures := broken + sql.failures + job.failures:
        sys.exit("\n".join(["", "what failed:", *failures]))


if __name__ == "__main__":
    main()
