"""Taxi trips: the needed columns and the duration in hours, without trips of no or negative duration or of other months."""

from pyspark.sql import functions as f
from session import run

COLUMNS = ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count", "trip_distance", "PULocationID",
           "DOLocationID", "payment_type", "fare_amount", "tip_amount", "total_amount"]


def job(spark, source, target):
    def micros(column):
        return f.unix_micros(f.col(column).cast("timestamp"))
    begin = f.col("tpep_pickup_datetime")
    frame = spark.read.parquet(source)
    frame = frame.where((f.col("tpep_dropoff_datetime") >= begin) & (begin >= "2021-03-01 00:00:00") & (begin < "2021-04-01 00:00:00"))
    duration = (micros("tpep_dropoff_datetime") - micros("tpep_pickup_datetime")) / 3.6e9
    frame.select(*COLUMNS, duration.alias("trip_duration")).write.option("compression", "zstd").parquet(target)


run(job)
