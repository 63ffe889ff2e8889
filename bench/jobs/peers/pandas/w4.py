"""Access logs: calls per pair of services within a range of time, as JSON lines."""

import glob
import hashlib
import json
import os
import sys
from collections import Counter

import pandas as pd
import pyarrow.compute as pc
import pyarrow.csv as csv

source, target, begin, end = sys.argv[1:]
begin, end = pd.Timestamp(begin), pd.Timestamp(end)
shape = (r'^\S+ - (?P<caller>\S+) \[(?P<time>[^\]]+)\] "\S+ /(?P<target>[^/ ?]+)[^"]*" \d+ '
         r'"Machine \([^;)]*(?:; (?P<agent>[^)]+))?\)"$')
calls = Counter()
for path in sorted(glob.glob(f"{source}/*.txt*")):
    # No byte of a log is a separator or a quote here.
    lines = csv.read_csv(path, csv.ReadOptions(column_names=["line"]), csv.ParseOptions(delimiter="\x01", quote_char=False))["line"]
    lines = lines.filter(pc.match_substring(lines, '"Machine ('))
    found = pc.extract_regex(lines, shape).combine_chunks()
    frame = pd.DataFrame({name: found.field(name).to_pandas() for name in ("caller", "time", "target", "agent")})
    at = pd.to_datetime(frame["time"], format="%d/%b/%Y:%H:%M:%S %z", utc=True)
    frame = frame[(at >= begin) & (at < end)]
    frame["source"] = frame["agent"].where(frame["agent"] != "", frame["caller"])
    calls.update(frame.groupby(["source", "target"]).size().to_dict())
os.makedirs(target)
with open(f"{target}/report.json", "w") as file:
    for (caller, callee), total in calls.items():
        key = hashlib.md5(f"{caller}/{callee}".encode()).hexdigest()
        file.write(json.dumps({"id": key, "source": caller, "target": callee, "totalRequests": total}) + "\n")
