"""Asked of the camera records: how many, and their mean speed, for each camera and hour."""

import sys

import duckdb

source, target = sys.argv[1:]
duckdb.sql(f"""
    COPY (SELECT uniqueid, date_trunc('hour', originalrecordtimestamp) AS moment, count(*) AS n, avg(speed) AS average
          FROM read_parquet('{source}/**/*.parquet', hive_partitioning = true)
          GROUP BY uniqueid, moment ORDER BY uniqueid, moment)
    TO '{target}' (FORMAT csv, HEADER)""")
