"""Each window beside that which begins when it ends, in little memory."""

import sys

import duckdb

source, target, limit, spills = sys.argv[1:]
duckdb.sql(f"SET memory_limit = '{limit}MiB'; SET temp_directory = '{spills}'; SET preserve_insertion_order = false")
duckdb.sql(f"""
    CREATE VIEW windows AS FROM read_csv('{source}/*.csv', header = true, columns = {{
        componentName: 'VARCHAR', fromTimestamp: 'VARCHAR', maxValue: 'DOUBLE', metricName: 'VARCHAR',
        minValue: 'DOUBLE', toTimestamp: 'VARCHAR', unit: 'VARCHAR'}}, buffer_size = 4_000_000)""")
duckdb.sql(f"""
    COPY (SELECT a.metricName, count(*) AS n, sum(b.maxValue - a.maxValue) AS change, max(b.maxValue - a.maxValue) AS most
          FROM windows a JOIN windows b
              ON a.componentName = b.componentName AND a.metricName = b.metricName AND a.toTimestamp = b.fromTimestamp
          GROUP BY a.metricName ORDER BY a.metricName)
    TO '{target}' (FORMAT csv, HEADER)""")
