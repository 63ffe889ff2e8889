"""Asked of the calls: the ten pairs of services with most of them."""

import sys

import polars as pl

source, target = sys.argv[1:]
frame = pl.scan_ndjson(f"{source}/*.json").select("source", "target", "totalRequests")
frame.sort("totalRequests", "source", "target", descending=[True, False, False]).head(10).sink_csv(target)
