"""Access logs: calls per pair of services within a range of time, as JSON lines."""

import hashlib
import json
import os
import sys
from datetime import datetime

import polars as pl

source, target, begin, end = sys.argv[1:]
shape = (r'^\S+ - (?<caller>\S+) \[(?<time>[^\]]+)\] "\S+ /(?<target>[^/ ?]+)[^"]*" \d+ '
         r'"Machine \([^;)]*(?:; (?<agent>[^)]+))?\)"$')
found = pl.col("line").str.extract_groups(shape).struct
at = pl.col("time").str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="ms", time_zone="UTC")
frame = (
    pl.scan_csv(f"{source}/*.txt*", has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String})
    .filter(pl.col("line").str.contains('"Machine (', literal=True))
    .select(found.field("caller"), found.field("time"), found.field("target"), found.field("agent"))
    .filter(at >= datetime.fromisoformat(begin), at < datetime.fromisoformat(end))
    .group_by(source=pl.coalesce("agent", "caller"), target="target")
    .agg(totalRequests=pl.len())
)
os.makedirs(target)
with open(f"{target}/report.json", "w") as file:
    for row in frame.collect(engine="streaming").iter_rows(named=True):
        key = f"{row['source']}/{row['target']}"
        file.write(json.dumps({"id": hashlib.md5(key.encode()).hexdigest(), **row}) + "\n")
