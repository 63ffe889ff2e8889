"""Camera records: from folders of arrival to folders of the event's own hour."""

import sys

import duckdb

source, target = sys.argv[1:]
duckdb.sql(f"""
    COPY (SELECT *, year(originalrecordtimestamp) AS year, month(originalrecordtimestamp) AS month,
                 day(originalrecordtimestamp) AS day, hour(originalrecordtimestamp) AS hour
          FROM read_parquet('{source}/**/*.parquet', hive_partitioning = false))
    TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month, day, hour))""")
