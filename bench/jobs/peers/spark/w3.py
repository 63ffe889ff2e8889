"""Camera records: from folders of arrival to folders of the event's own hour."""

from pyspark.sql import functions as f
from session import run


def job(spark, source, target):
    event = f.col("originalrecordtimestamp")
    # The arrival's year, month, day and hour, which the folders name, give way to the event's.
    frame = spark.read.parquet(source).select(
        "uniqueid", "speed", "trafficjamindicator", "recordtimestamp", "originalrecordtimestamp",
        f.year(event).alias("year"), f.month(event).alias("month"), f.dayofmonth(event).alias("day"), f.hour(event).alias("hour"))
    frame.write.partitionBy("year", "month", "day", "hour").option("compression", "zstd").parquet(target)


run(job)
