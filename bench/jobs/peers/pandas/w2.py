"""Plain metrics: CSV to windows of five minutes, as Parquet."""

import glob
import os
import sys

import pandas as pd

source, target = sys.argv[1:]
keys = ["componentName", "metricName", "unit", "fromTimestamp"]
parts = []
for path in sorted(glob.glob(f"{source}/*.csv")):
    frame = pd.read_csv(path, engine="pyarrow", dtype_backend="pyarrow")
    frame["fromTimestamp"] = pd.to_datetime(frame["publicationTimestamp"], utc=True).dt.tz_localize(None).dt.floor("5min")
    value = frame.groupby(keys, sort=False)["value"]
    parts.append(value.agg(minValue="min", maxValue="max", total="sum", measurements="count").reset_index())
# A window's measurements may lie in several files.
result = pd.concat(parts).groupby(keys, sort=False)
result = result.agg({"minValue": "min", "maxValue": "max", "total": "sum", "measurements": "sum"}).reset_index()
result["averageValue"] = result.pop("total") / result["measurements"]
result["toTimestamp"] = result["fromTimestamp"] + pd.Timedelta(minutes=5)
os.makedirs(target)
result.to_parquet(f"{target}/windows.parquet", compression="zstd", index=False)
