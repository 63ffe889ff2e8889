"""Asked of the camera records: how many, and their mean speed, for each camera and hour."""

from pyspark.sql import functions as f
from session import answer, run


def job(spark, source, target):
    moment = f.date_trunc("hour", "originalrecordtimestamp").alias("moment")
    grouped = spark.read.parquet(source).groupBy("uniqueid", moment)
    answer(grouped.agg(f.count("*").alias("n"), f.avg("speed").alias("average")).orderBy("uniqueid", "moment"), target)


run(job)
