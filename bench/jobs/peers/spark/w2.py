"""Plain metrics: CSV to windows of five minutes, as Parquet."""

from pyspark.sql import functions as f
from session import run


def job(spark, source, target):
    schema = "componentName STRING, metricName STRING, unit STRING, value DOUBLE, publicationTimestamp TIMESTAMP"
    frame = spark.read.csv(source, header=True, schema=schema)
    window = f.window("publicationTimestamp", "5 minutes")
    frame = frame.groupBy("componentName", "metricName", "unit", window.alias("w")).agg(
        f.min("value").alias("minValue"), f.max("value").alias("maxValue"), f.avg("value").alias("averageValue"),
        f.count("*").alias("measurements"))
    frame = frame.select("*", f.col("w.start").alias("fromTimestamp"), f.col("w.end").alias("toTimestamp")).drop("w")
    frame.write.option("compression", "zstd").parquet(target)


run(job)
