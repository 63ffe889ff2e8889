"""Camera records: from folders of arrival to folders of the event's own hour."""

import sys

import polars as pl

source, target = sys.argv[1:]
event = pl.col("originalrecordtimestamp").dt
frame = pl.scan_parquet(f"{source}/**/*.parquet", hive_partitioning=False)
frame = frame.with_columns(year=event.year(), month=event.month(), day=event.day(), hour=event.hour())
folders = pl.PartitionBy(target, key=["year", "month", "day", "hour"], include_key=False)
frame.sink_parquet(folders, compression="zstd", mkdir=True)
