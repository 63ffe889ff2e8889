"""Windowed metrics: CSV to Parquet in partitions by metric and component."""

import sys

import duckdb

source, target = sys.argv[1:]
duckdb.sql(f"""
    COPY (SELECT fromTimestamp, toTimestamp, minValue, maxValue, unit, metricName, componentName
          FROM read_csv('{source}/*.csv', header = true, columns = {{
              componentName: 'VARCHAR', fromTimestamp: 'TIMESTAMP', maxValue: 'DOUBLE', metricName: 'VARCHAR',
              minValue: 'DOUBLE', toTimestamp: 'TIMESTAMP', unit: 'VARCHAR'}}))
    TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (metricName, componentName))""")
