#!/usr/bin/env python3
"""Recomputes what the job had to write: `verify.py INPUT OUTPUT [MONTH]` (INPUT: the trips' Parquet files)."""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import outputs  # noqa: E402

KEPT = ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count", "trip_distance", "PULocationID",
        "DOLocationID", "payment_type", "fare_amount", "tip_amount", "total_amount"]
HOUR = 3_600_000_000


def outcome(row, month):
    """What becomes of a trip; the first reason that holds."""
    begin, end = row["tpep_pickup_datetime"], row["tpep_dropoff_datetime"]
    if begin is None or end is None:
        return "null duration"
    if end < begin:
        return "negative duration"
    return "kept" if outputs.shown(begin)[:7] == month else "other month"


def expected(folder, month):
    trips, outcomes = Counter(), Counter()
    for row in outputs.rows(folder):
        what = outcome(row, month)
        outcomes[what] += 1
        if what == "kept":
            trips[tuple(row[name.lower()] for name in KEPT)] += 1
    return trips, outcomes


def found(folder):
    trips = Counter()
    for row in outputs.rows(folder):
        outputs.needs(row, [*KEPT, "trip_duration"], "a trip")
        trip = tuple(row[name.lower()] for name in KEPT)
        hours = (trip[2] - trip[1]) / HOUR
        if row["trip_duration"] is None or not outputs.close(hours, row["trip_duration"]):
            outputs.fail(f"the trip {trip} took {row['trip_duration']} hours, expected {hours}")
        trips[trip] += 1
    return trips


def report(folder):
    outcomes = Counter()
    for row in outputs.rows(folder):
        outputs.needs(row, ["outcome", "trips"], "the report")
        if row["outcome"] in outcomes:
            outputs.fail(f"the report counts {row['outcome']!r} twice")
        outcomes[row["outcome"]] = row["trips"]
    return outcomes


source, target, *rest = sys.argv[1:]
trips, outcomes = expected(source, rest[0] if rest else "2021-03")
outputs.compare_counts(outcomes, report(Path(target) / "report"), "the outcome")
outputs.compare_counts(trips, found(Path(target) / "trips"), "the trip")
print(", ".join(f"{count:,} {what}" for what, count in outcomes.most_common()) + ": all as expected")
