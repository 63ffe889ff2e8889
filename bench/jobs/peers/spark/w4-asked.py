"""Asked of the calls: the ten pairs of services with most of them."""

from pyspark.sql import functions as f
from session import answer, run


def job(spark, source, target):
    frame = spark.read.schema("id STRING, source STRING, target STRING, totalRequests BIGINT").json(source)
    frame = frame.orderBy(f.desc("totalRequests"), "source", "target").limit(10)
    answer(frame.select("source", "target", "totalRequests"), target)


run(job)
