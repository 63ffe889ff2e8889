"""Plain metrics: CSV to windows of five minutes, as Parquet."""

import os
import sys

import duckdb

source, target = sys.argv[1:]
os.makedirs(target)
duckdb.sql(f"""
    COPY (SELECT componentName, metricName, unit, fromTimestamp, fromTimestamp + INTERVAL 5 MINUTES AS toTimestamp,
                 min(value) AS minValue, max(value) AS maxValue, avg(value) AS averageValue, count(*) AS measurements
          FROM (SELECT *, time_bucket(INTERVAL 5 MINUTES, publicationTimestamp) AS fromTimestamp
                FROM read_csv('{source}/*.csv', header = true, columns = {{
                    componentName: 'VARCHAR', metricName: 'VARCHAR', unit: 'VARCHAR', value: 'DOUBLE',
                    publicationTimestamp: 'TIMESTAMP'}}))
          GROUP BY componentName, metricName, unit, fromTimestamp)
    TO '{target}/windows.parquet' (FORMAT parquet, COMPRESSION zstd)""")
