"""Asked of the windowed metrics: the hourly average of one metric and component."""

import sys

import polars as pl

source, target = sys.argv[1:]
(
    pl.scan_parquet(f"{source}/**/*.parquet", hive_partitioning=True)
    .filter(pl.col("metricName") == "latency", pl.col("componentName") == "service-07")
    .group_by(hour=pl.col("fromTimestamp").dt.truncate("1h"))
    .agg(average=pl.col("maxValue").mean(), n=pl.len())
    .sort("hour")
    .sink_csv(target)
)
