"""Asked of the windowed metrics: the hourly average of one metric and component."""

import sys

import duckdb

source, target = sys.argv[1:]
duckdb.sql(f"""
    COPY (SELECT date_trunc('hour', fromTimestamp) AS hour, avg(maxValue) AS average, count(*) AS n
          FROM read_parquet('{source}/**/*.parquet', hive_partitioning = true)
          WHERE metricName = 'latency' AND componentName = 'service-07' GROUP BY hour ORDER BY hour)
    TO '{target}' (FORMAT csv, HEADER)""")
