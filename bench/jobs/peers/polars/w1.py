"""Windowed metrics: CSV to Parquet in partitions by metric and component."""

import sys

import polars as pl

source, target = sys.argv[1:]
time = pl.col("fromTimestamp", "toTimestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms")
frame = pl.scan_csv(f"{source}/*.csv").with_columns(time)
frame = frame.select("fromTimestamp", "toTimestamp", "minValue", "maxValue", "unit", "metricName", "componentName")
folders = pl.PartitionBy(target, key=["metricName", "componentName"], include_key=False)
frame.sink_parquet(folders, compression="zstd", mkdir=True)
