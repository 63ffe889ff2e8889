"""Asked of the windowed metrics: the hourly average of one metric and component."""

from pyspark.sql import functions as f
from session import answer, run


def job(spark, source, target):
    frame = spark.read.parquet(source).where("metricName = 'latency' AND componentName = 'service-07'")
    hour = f.date_trunc("hour", "fromTimestamp").alias("hour")
    answer(frame.groupBy(hour).agg(f.avg("maxValue").alias("average"), f.count("*").alias("n")).orderBy("hour"), target)


run(job)
