#!/usr/bin/env python3
"""Recomputes what the job had to write: `verify.py INPUT OUTPUT ["day = 3 and hour >= 14"]`.

INPUT holds the records by arrival. A predicate on its folders leaves only the records that a job with the same push-down
predicate had to read."""

import datetime
import operator
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import outputs  # noqa: E402

COLUMNS = ["uniqueid", "speed", "trafficjamindicator", "recordtimestamp", "originalrecordtimestamp"]
PARTS = ["year", "month", "day", "hour"]
COMPARISONS = {"=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "<>": operator.ne}


def filters(predicate):
    """Comparisons of folder values with numbers, joined by `and`."""
    found = []
    for term in re.split(r"\s+and\s+", predicate.strip(), flags=re.IGNORECASE) if predicate else []:
        parsed = re.fullmatch(r"(\w+)\s*(=|<>|<=|>=|<|>)\s*'?(\d+)'?", term.strip())
        if not parsed or parsed[1].lower() not in PARTS:
            sys.exit(f"cannot read the predicate {term!r}")
        found.append((parsed[1].lower(), COMPARISONS[parsed[2]], int(parsed[3])))
    return found


def expected(folder, predicate):
    """Every record that was to be read, with the hour of its own time."""
    terms = filters(predicate)
    records = Counter()
    for row in outputs.rows(folder):
        if all(compares(int(row[part]), number) for part, compares, number in terms):
            event = outputs.EPOCH + datetime.timedelta(microseconds=row["originalrecordtimestamp"])
            records[(event.year, event.month, event.day, event.hour, *(row[name] for name in COLUMNS))] += 1
    return records


def found(folder):
    records = Counter()
    for row in outputs.rows(folder):
        outputs.needs(row, COLUMNS + PARTS, "a record")
        records[(*(int(row[part]) for part in PARTS), *(row[name] for name in COLUMNS))] += 1
    return records


source, target, *rest = sys.argv[1:]
records = expected(source, rest[0] if rest else "")
for path in outputs.files(target, ".parquet"):
    if list(outputs.folder_values(target, path)) != PARTS:
        outputs.fail(f"{path} does not lie in year=…/month=…/day=…/hour=…")
outputs.compare_counts(records, found(target), "the record")
print(f"{sum(records.values()):,} records in {len({record[:4] for record in records})} hours, all as expected")
