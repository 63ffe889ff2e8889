"""Taxi trips: the needed columns and the duration in hours, without trips of no or negative duration or of other months."""

import glob
import os
import sys

import pandas as pd

source, target = sys.argv[1:]
columns = ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count", "trip_distance", "PULocationID",
           "DOLocationID", "payment_type", "fare_amount", "tip_amount", "total_amount"]
os.makedirs(target)
for path in sorted(glob.glob(f"{source}/*.parquet")):
    frame = pd.read_parquet(path, columns=columns)
    begin, end = frame["tpep_pickup_datetime"], frame["tpep_dropoff_datetime"]
    frame["trip_duration"] = (end - begin) / pd.Timedelta(hours=1)
    kept = (end >= begin) & (begin >= pd.Timestamp("2021-03-01")) & (begin < pd.Timestamp("2021-04-01"))
    frame[kept].to_parquet(f"{target}/{os.path.basename(path)}", compression="zstd", index=False)
