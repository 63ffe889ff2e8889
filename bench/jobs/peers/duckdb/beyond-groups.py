"""As many groups as rows, sorted, in little memory."""

import os
import sys

import duckdb

source, target, limit, spills = sys.argv[1:]
os.makedirs(target)
duckdb.sql(f"SET memory_limit = '{limit}MiB'; SET temp_directory = '{spills}'; SET preserve_insertion_order = false")
duckdb.sql(f"""
    COPY (SELECT componentName, metricName, fromTimestamp, count(*) AS n, min(minValue) AS least, max(maxValue) AS most
          FROM read_csv('{source}/*.csv', header = true, columns = {{
              componentName: 'VARCHAR', fromTimestamp: 'VARCHAR', maxValue: 'DOUBLE', metricName: 'VARCHAR',
              minValue: 'DOUBLE', toTimestamp: 'VARCHAR', unit: 'VARCHAR'}}, buffer_size = 4_000_000)
          GROUP BY componentName, metricName, fromTimestamp
          ORDER BY most DESC, componentName, metricName, fromTimestamp)
    TO '{target}/groups.parquet' (FORMAT parquet, COMPRESSION zstd)""")
