"""Windowed metrics: CSV to Parquet in partitions by metric and component."""

import glob
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

source, target = sys.argv[1:]
for path in sorted(glob.glob(f"{source}/*.csv")):
    frame = pd.read_csv(path, engine="pyarrow", dtype_backend="pyarrow")
    for column in ("fromTimestamp", "toTimestamp"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.tz_localize(None)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_to_dataset(table, target, partition_cols=["metricName", "componentName"], compression="zstd")
