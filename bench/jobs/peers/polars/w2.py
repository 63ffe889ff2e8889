"""Plain metrics: CSV to windows of five minutes, as Parquet."""

import sys

import polars as pl

source, target = sys.argv[1:]
time = pl.col("publicationTimestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms")
value = pl.col("value")
frame = (
    pl.scan_csv(f"{source}/*.csv")
    .with_columns(fromTimestamp=time.dt.truncate("5m"))
    .group_by("componentName", "metricName", "unit", "fromTimestamp")
    .agg(minValue=value.min(), maxValue=value.max(), averageValue=value.mean(), measurements=pl.len())
    .with_columns(toTimestamp=pl.col("fromTimestamp").dt.offset_by("5m"))
)
frame.sink_parquet(f"{target}/windows.parquet", compression="zstd", mkdir=True, engine="streaming")
