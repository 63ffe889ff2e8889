#!/usr/bin/env python3
"""Recomputes what the job had to write: `verify.py INPUT OUTPUT` (INPUT: the generator's CSV files)."""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import outputs  # noqa: E402

COLUMNS = ["componentName", "metricName", "fromTimestamp", "toTimestamp", "minValue", "maxValue", "unit"]


def key(component, metric, begin):
    return f"{component} {metric} {outputs.shown(begin)}"


def expected(folder):
    windows = {}
    for path in outputs.files(folder, ".csv"):
        with open(path, newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                begin, end = outputs.micros(row["fromTimestamp"]), outputs.micros(row["toTimestamp"])
                windows[key(row["componentName"], row["metricName"], begin)] = (end, float(row["minValue"]), float(row["maxValue"]), row["unit"])
    return windows


def found(folder):
    windows = {}
    for row in outputs.rows(folder):
        outputs.needs(row, COLUMNS, "a window")
        name = key(row["componentname"], row["metricname"], row["fromtimestamp"])
        if name in windows:
            outputs.fail(f"the window {name} is there twice")
        windows[name] = (row["totimestamp"], row["minvalue"], row["maxvalue"], row["unit"])
    return windows


def partitions(folder):
    """Every file lies in a folder of its metric and, within, of its component."""
    for path in outputs.files(folder, ".parquet"):
        if list(outputs.folder_values(folder, path)) != ["metricname", "componentname"]:
            outputs.fail(f"{path} does not lie in metricName=…/componentName=…")


source, target = sys.argv[1:]
windows = expected(source)
partitions(target)
outputs.compare(windows, found(target), "the window")
print(f"{len(windows):,} windows, all as expected")
