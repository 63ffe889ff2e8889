"""Windowed metrics: CSV to Parquet in partitions by metric and component."""

from session import run


def job(spark, source, target):
    schema = ("componentName STRING, fromTimestamp TIMESTAMP, maxValue DOUBLE, metricName STRING, minValue DOUBLE, "
              "toTimestamp TIMESTAMP, unit STRING")
    frame = spark.read.csv(source, header=True, schema=schema)
    frame = frame.select("fromTimestamp", "toTimestamp", "minValue", "maxValue", "unit", "metricName", "componentName")
    frame.write.partitionBy("metricName", "componentName").option("compression", "zstd").parquet(target)


run(job)
