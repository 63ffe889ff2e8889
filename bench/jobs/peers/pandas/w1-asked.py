"""Asked of the windowed metrics: the hourly average of one metric and component."""

import sys

import pandas as pd

source, target = sys.argv[1:]
only = [("metricName", "=", "latency"), ("componentName", "=", "service-07")]
frame = pd.read_parquet(source, columns=["fromTimestamp", "maxValue"], filters=only)
grouped = frame.groupby(frame["fromTimestamp"].dt.floor("h"))["maxValue"]
grouped.agg(average="mean", n="count").to_csv(target)
