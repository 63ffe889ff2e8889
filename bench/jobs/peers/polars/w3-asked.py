"""Asked of the camera records: how many, and their mean speed, for each camera and hour."""

import sys

import polars as pl

source, target = sys.argv[1:]
(
    pl.scan_parquet(f"{source}/**/*.parquet", hive_partitioning=True)
    .group_by("uniqueid", moment=pl.col("originalrecordtimestamp").dt.truncate("1h"))
    .agg(n=pl.len(), average=pl.col("speed").mean())
    .sort("uniqueid", "moment")
    .sink_csv(target, engine="streaming")
)
