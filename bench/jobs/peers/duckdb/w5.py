"""Taxi trips: the needed columns and the duration in hours, without trips of no or negative duration or of other months."""

import os
import sys

import duckdb

source, target = sys.argv[1:]
os.makedirs(target)
duckdb.sql(f"""
    COPY (SELECT VendorID, tpep_pickup_datetime, tpep_dropoff_datetime, passenger_count, trip_distance, PULocationID,
                 DOLocationID, payment_type, fare_amount, tip_amount, total_amount,
                 (epoch_us(tpep_dropoff_datetime) - epoch_us(tpep_pickup_datetime)) / 3.6e9 AS trip_duration
          FROM read_parquet('{source}/*.parquet')
          WHERE tpep_dropoff_datetime >= tpep_pickup_datetime
            AND tpep_pickup_datetime >= TIMESTAMP '2021-03-01' AND tpep_pickup_datetime < TIMESTAMP '2021-04-01')
    TO '{target}' (FORMAT parquet, COMPRESSION zstd, PER_THREAD_OUTPUT, OVERWRITE_OR_IGNORE)""")
