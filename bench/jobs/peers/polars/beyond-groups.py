"""As many groups as rows, sorted, in little memory."""

import os
import sys

source, target, limit, spills = sys.argv[1:]
os.environ |= {"POLARS_OOC_MEMORY_BUDGET_MB": limit, "POLARS_OOC_SPILL_DIR": spills}

import polars as pl

keys = ["componentName", "metricName", "fromTimestamp"]
frame = pl.scan_csv(f"{source}/*.csv").group_by(keys)
frame = frame.agg(n=pl.len(), least=pl.col("minValue").min(), most=pl.col("maxValue").max())
frame = frame.sort("most", *keys, descending=[True, False, False, False])
frame.sink_parquet(f"{target}/groups.parquet", compression="zstd", mkdir=True, engine="streaming")
