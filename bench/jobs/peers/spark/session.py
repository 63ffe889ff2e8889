"""A Spark session: of Apache Spark itself in this process, or of Sail's server in this process, by Spark Connect."""

import csv
import os
import sys

# Clocks are UTC, wherever this runs.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.shuffle.partitions": str(os.cpu_count()),
}


def session(engine):
    """The session of `pyspark` or `sail`, and what to call at the end."""
    from pyspark.sql import SparkSession
    if engine == "pyspark":
        builder = SparkSession.builder.master("local[*]").config("spark.driver.memory", "8g")
        builder = builder.config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        return spark, spark.stop
    from pysail.spark import SparkConnectServer
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")

    def stop():
        spark.stop()
        server.stop()
    return spark, stop


def answer(frame, target):
    """A few rows as CSV with a header."""
    rows = frame.collect()
    with open(target, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(frame.columns)
        writer.writerows(rows)


def run(job):
    """Runs `job(spark, source, target, …)` with the arguments of the command line: ENGINE SOURCE TARGET …"""
    engine, *arguments = sys.argv[1:]
    spark, stop = session(engine)
    job(spark, *arguments)
    stop()
