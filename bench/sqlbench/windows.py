"""Windowed metrics: 10 M rows of CSV in 20 files (scale 1), the same as Parquet in 200 partitions, and what is asked."""

import json
import subprocess
import sys
from pathlib import Path

METRICS = ["cpu", "memory", "latency", "requests", "errors", "threads", "queue", "disk", "network", "sessions"]
COMPONENTS = [f"service-{n:02}" for n in range(20)]

# What becomes of a row of CSV; the names are those of the generator's header in lower case.
DUCKDB = """SELECT CAST(fromTimestamp AS TIMESTAMP) AS started, CAST(toTimestamp AS TIMESTAMP) AS ended, minValue AS minimum,
    maxValue AS maximum, unit, metricName AS metric, componentName AS component
    FROM read_csv('{csv}/*.csv', header = true)"""
COLUMNS = [("started", "timestamp"), ("ended", "timestamp"), ("minimum", "double"), ("maximum", "double"), ("unit", "string")]
KEYS = [("metric", "string"), ("component", "string")]

QUERIES = {
    "a": ("hourly average of one metric and component", """
SELECT date_trunc('hour', started) AS hour, avg(maximum) AS average, count(*) AS n
FROM metrics WHERE metric = 'latency' AND component = 'service-07'
GROUP BY date_trunc('hour', started) ORDER BY hour"""),
    "b": ("full scan, group by two keys, percentile", """
SELECT metric, component, count(*) AS n, avg(maximum) AS average, approx_percentile(maximum, 0.95) AS p95
FROM metrics GROUP BY metric, component ORDER BY metric, component"""),
    "c": ("top N", """
SELECT started, metric, component, maximum
FROM metrics ORDER BY maximum DESC, started, metric, component LIMIT 20"""),
}

CSV_TABLE = """CREATE EXTERNAL TABLE windows_csv (componentname string, fromtimestamp string, maxvalue double,
    metricname string, minvalue double, totimestamp string, unit string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://bench/windows-csv/'
TBLPROPERTIES ('skip.header.line.count' = '1')"""
CTAS = """CREATE TABLE windows_{turn} WITH (format = 'PARQUET', write_compression = 'ZSTD',
    external_location = 's3://bench/windows-{turn}/', partitioned_by = ARRAY['metric', 'component']) AS
SELECT CAST(from_iso8601_timestamp(fromtimestamp) AS timestamp) AS started,
    CAST(from_iso8601_timestamp(totimestamp) AS timestamp) AS ended, minvalue AS minimum, maxvalue AS maximum, unit,
    metricname AS metric, componentname AS component
FROM windows_csv"""

# The peers write the same from the same files: `writer.py ENGINE CSV-FOLDER OUT-FOLDER`.
WRITERS = {
    "duckdb": """
import duckdb, sys
duckdb.sql("COPY (" + sys.argv[3] + ") TO '" + sys.argv[2] + "' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (metric, component))")
""",
    "polars": """
import sys
import polars as pl
time = "%Y-%m-%dT%H:%M:%S%.fZ"
frame = pl.scan_csv(sys.argv[1] + "/*.csv").select(
    started=pl.col("fromTimestamp").str.to_datetime(time, time_unit="ms"), ended=pl.col("toTimestamp").str.to_datetime(time, time_unit="ms"),
    minimum="minValue", maximum="maxValue", unit="unit", metric="metricName", component="componentName")
frame.sink_parquet(pl.PartitionBy(sys.argv[2], key=["metric", "component"], include_key=False), compression="zstd", mkdir=True)
""",
    "datafusion": """
import datafusion, sys
context = datafusion.SessionContext()
context.register_csv("windows", sys.argv[1])
context.sql('''COPY (SELECT to_timestamp_millis("fromTimestamp") AS started, to_timestamp_millis("toTimestamp") AS ended,
    "minValue" AS minimum, "maxValue" AS maximum, unit, "metricName" AS metric, "componentName" AS component FROM windows)
    TO '%s/' STORED AS PARQUET PARTITIONED BY (metric, component) OPTIONS ('format.compression' 'zstd(3)')''' % sys.argv[2]).collect()
""",
}


def make_csv(glulam, folder, scale):
    """The CSV files, by the product's own generator."""
    shape = {"unit": "percent", "averageFrom": 10, "averageTo": 60, "minDiff": 1, "maxDiff": 8}
    task = Path(folder) / "task.json"
    task.parent.mkdir(parents=True, exist_ok=True)
    task.write_text(json.dumps({
        "@type": "windowed-metrics", "randomSeed": 1, "numberOfIterations": max(1, int(50_000 * scale)),
        "timer": {"@type": "synthetic", "startTime": "2026-01-01T00:00:00.000Z", "stepMillis": 5000},
        "outputFilePath": "./out", "metrics": {c: {m: shape for m in METRICS} for c in COMPONENTS},
    }))
    subprocess.run([glulam, "gen", task, "--output", f"{folder}/windows-csv/", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    task.unlink()


def make_parquet(folder):
    """The same as Parquet in 200 partitions, by DuckDB, so that every engine reads files that it did not write."""
    subprocess.run([sys.executable, "-c", WRITERS["duckdb"], "", f"{folder}/windows", DUCKDB.format(csv=f"{folder}/windows-csv")], check=True)
