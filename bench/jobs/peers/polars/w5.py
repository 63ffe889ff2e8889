"""Taxi trips: the needed columns and the duration in hours, without trips of no or negative duration or of other months."""

import sys
from datetime import datetime

import polars as pl

source, target = sys.argv[1:]
begin, end = pl.col("tpep_pickup_datetime"), pl.col("tpep_dropoff_datetime")
frame = (
    pl.scan_parquet(f"{source}/*.parquet")
    .filter(end >= begin, begin >= datetime(2021, 3, 1), begin < datetime(2021, 4, 1))
    .select(
        "VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count", "trip_distance", "PULocationID",
        "DOLocationID", "payment_type", "fare_amount", "tip_amount", "total_amount",
        trip_duration=(end - begin).dt.total_microseconds() / 3.6e9,
    )
)
frame.sink_parquet(f"{target}/trips.parquet", compression="zstd", mkdir=True)
