#!/usr/bin/env python3
"""Recomputes what the job had to write: `verify.py INPUT OUTPUT [--from TIME --to TIME] [--metrics FOLDER]`.

INPUT holds access logs of both shapes, plain or gzip; without a range it is the 24 hours that end with the newest line.
With --metrics (the CSV files of windowed metrics) the nodes must carry the highest CPU load of the range."""

import argparse
import csv
import datetime
import gzip
import hashlib
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import outputs  # noqa: E402

DAY = 86_400_000_000
NGINX = re.compile(r'(\S+) - (\S+) \[([^\]]+)\] "(\S+) (\S+) [^"]*" (\d{3}) "([^"]*)"')
SERVICE = re.compile(r'(\S+)  - (\S+) "(\S+) (\S+)" (\d{3}) \[([^\]]+)\] "([^"]*)"')
AGENT = re.compile(r"Machine \(([^;)]*)(?:; ([^)]+))?\)")
FILE = re.compile(r"(.+)-\d{4}-\d\d-\d\d\.txt(?:\.gz)?")


def call(line, file_name):
    """One line as (time, source or nothing for a user, target, status); nothing for a line of neither shape."""
    if parsed := NGINX.fullmatch(line):
        _, user, time, _, path, status, agent = parsed.groups()
        at = outputs.micros(datetime.datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z"))
        machine = AGENT.fullmatch(agent)
        target = re.split(r"[/?]", path.removeprefix("/"), maxsplit=1)[0]
        return at, (machine[2] or user) if machine else None, target, int(status)
    if parsed := SERVICE.fullmatch(line):
        _, user, _, _, status, time, agent = parsed.groups()
        target = FILE.fullmatch(file_name)[1]
        return outputs.micros(time), user if agent == "Apache HTTP Client" else None, target, int(status)
    return None


def calls(folder):
    for path in outputs.files(folder, ".txt", ".txt.gz"):
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                if found := call(line.rstrip("\n"), path.name):
                    yield found


def identity(source, target):
    return hashlib.md5(f"{source}/{target}".encode()).hexdigest()


def count(all_calls, begin, end):
    """Calls and failures per (day, source, target) in the range, users left out."""
    total, failed = Counter(), Counter()
    for at, source, target, status in all_calls:
        if source is not None and begin <= at < end:
            key = (outputs.shown(at)[:10], source, target)
            total[key] += 1
            failed[key] += status >= 500
    return total, failed


def pairs(total):
    """The sums over the days."""
    summed = Counter()
    for (_, source, target), number in total.items():
        summed[(source, target)] += number
    return summed


def loads(folder, begin, end):
    """The highest CPU load of each component in the windows that begin in the range."""
    highest = {}
    for path in outputs.files(folder, ".csv"):
        with open(path, newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["metricName"] == "cpu" and begin <= outputs.micros(row["fromTimestamp"]) < end:
                    name = row["componentName"]
                    highest[name] = max(highest.get(name, float("-inf")), float(row["maxValue"]))
    return highest


def nodes(total, failed, cpu):
    """A node per service: calls received and made, shares of successes and failures, CPU load."""
    received, made, lost = Counter(), Counter(), Counter()
    for (source, target), number in total.items():
        made[source] += number
        received[target] += number
        lost[target] += failed[(source, target)]
    expected = {}
    for name in received.keys() | made.keys():
        share = lost[name] / received[name] if received[name] else 0.0
        expected[name] = (name, received[name], made[name], 1 - share, share, *([] if cpu is None else [cpu.get(name)]))
    return expected


def read(folder, columns, key):
    """The rows of an output by key, with the other columns in this order."""
    found = {}
    for row in outputs.rows(folder):
        row = {name: value for name, value in row.items() if value is not None or name != "detail__cpu"}
        optional = [name for name in columns if name == "detail__cpu" and name not in row]
        outputs.needs(row, [name for name in columns if name not in optional], f"a row of {folder}")
        name = " ".join(str(row[part]) for part in key)
        if name in found:
            outputs.fail(f"{folder} has {name} twice")
        found[name] = tuple(row.get(column.lower()) for column in columns if column not in key)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--from", dest="begin", type=outputs.micros)
    parser.add_argument("--to", dest="end", type=outputs.micros)
    parser.add_argument("--metrics")
    arguments = parser.parse_args()
    all_calls = list(calls(arguments.input))
    begin, end = arguments.begin, arguments.end
    if begin is None or end is None:
        newest = max(at for at, *_ in all_calls)
        # The newest line belongs to the range, the moment 24 hours before it does not.
        begin, end = newest - DAY + 1, newest + 1
    total, failed = count(all_calls, begin, end)
    by_pair, failed_by_pair = pairs(total), pairs(failed)
    cpu = loads(arguments.metrics, begin, end) if arguments.metrics else None

    output = Path(arguments.output)
    report = {f"{day} {source} {target}": (identity(source, target), number, failed[(day, source, target)])
              for (day, source, target), number in total.items()}
    outputs.compare(report, read(output / "report", ["id", "day", "source", "target", "totalRequests", "failedRequests"],
                                 ["day", "source", "target"]), "the pair")
    edges = {f"{source} {target}": (identity(source, target), number, failed_by_pair[(source, target)])
             for (source, target), number in by_pair.items()}
    outputs.compare(edges, read(output / "edges", ["id", "source", "target", "mainstat", "secondarystat"], ["source", "target"]), "the edge")
    columns = ["id", "title", "mainstat", "secondarystat", "arc__ok", "arc__failed"] + (["detail__cpu"] if cpu is not None else [])
    outputs.compare(nodes(by_pair, failed_by_pair, cpu), read(output / "nodes", columns, ["id"]), "the node")
    print(f"{sum(by_pair.values()):,} calls of {len(all_calls):,} lines, {len(by_pair)} pairs of services, {len(report)} rows "
          f"from {outputs.shown(begin)} to {outputs.shown(end)}, all as expected")


main()
