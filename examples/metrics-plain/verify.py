#!/usr/bin/env python3
"""Recomputes what the job had to write: `verify.py INPUT OUTPUT` (INPUT: the generator's CSV files)."""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import outputs  # noqa: E402

COLUMNS = ["componentName", "metricName", "unit", "fromTimestamp", "toTimestamp", "minValue", "maxValue", "averageValue", "measurements"]
WINDOW = 5 * 60 * 1_000_000


def key(component, metric, begin):
    return f"{component} {metric} {outputs.shown(begin)}"


def expected(folder):
    values = {}
    for path in outputs.files(folder, ".csv"):
        with open(path, newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                published = outputs.micros(row["publicationTimestamp"])
                window = (row["componentName"], row["metricName"], row["unit"], published - published % WINDOW)
                values.setdefault(window, []).append(float(row["value"]))
    windows = {}
    for (component, metric, unit, begin), measured in values.items():
        average = sum(measured) / len(measured)
        windows[key(component, metric, begin)] = (unit, begin + WINDOW, min(measured), max(measured), average, len(measured))
    return windows


def found(folder):
    windows = {}
    for row in outputs.rows(folder):
        outputs.needs(row, COLUMNS, "a window")
        name = key(row["componentname"], row["metricname"], row["fromtimestamp"])
        if name in windows:
            outputs.fail(f"the window {name} is there twice")
        windows[name] = (row["unit"], row["totimestamp"], row["minvalue"], row["maxvalue"], row["averagevalue"], row["measurements"])
    return windows


source, target = sys.argv[1:]
windows = expected(source)
outputs.compare(windows, found(target), "the window")
print(f"{len(windows):,} windows of {sum(window[5] for window in windows.values()):,} measurements, all as expected")
