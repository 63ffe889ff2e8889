"""Access logs: calls per pair of services within a range of time, as JSON lines."""

from pyspark.sql import functions as f
from session import run

SHAPE = (r'^\S+ - (\S+) \[([^\]]+)\] "\S+ /([^/ ?]+)[^"]*" \d+ "Machine \([^;)]*(?:; ([^)]+))?\)"$')


def job(spark, source, target, begin, end):
    def group(number):
        return f.regexp_extract("value", SHAPE, number)
    lines = spark.read.text(source).where(f.col("value").contains('"Machine ('))
    found = lines.select(group(1).alias("caller"), f.to_timestamp(group(2), "dd/MMM/yyyy:HH:mm:ss Z").alias("at"),
                         group(3).alias("target"), group(4).alias("agent"))
    found = found.where((f.col("at") >= f.lit(begin).cast("timestamp")) & (f.col("at") < f.lit(end).cast("timestamp")))
    source = f.when(f.col("agent") != "", f.col("agent")).otherwise(f.col("caller"))
    pairs = found.groupBy(source.alias("source"), "target").agg(f.count("*").alias("totalRequests"))
    key = f.md5(f.concat_ws("/", "source", "target"))
    pairs.select(key.alias("id"), "source", "target", "totalRequests").write.json(target)


run(job)
