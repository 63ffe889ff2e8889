"""Each window beside that which begins when it ends, in little memory."""

import os
import sys

source, target, limit, spills = sys.argv[1:]
os.environ |= {"POLARS_OOC_MEMORY_BUDGET_MB": limit, "POLARS_OOC_SPILL_DIR": spills}

import polars as pl

windows = pl.scan_csv(f"{source}/*.csv")
change = pl.col("maxValue_right") - pl.col("maxValue")
left, right = ["componentName", "metricName", "toTimestamp"], ["componentName", "metricName", "fromTimestamp"]
(
    windows.join(windows.select(*right, "maxValue"), left_on=left, right_on=right)
    .group_by("metricName")
    .agg(n=pl.len(), change=change.sum(), most=change.max())
    .sort("metricName")
    .sink_csv(target, engine="streaming")
)
