"""Asked of the calls: the ten pairs of services with most of them."""

import sys

import duckdb

source, target = sys.argv[1:]
duckdb.sql(f"""
    COPY (SELECT source, target, totalRequests FROM read_json('{source}/*.json')
          ORDER BY totalRequests DESC, source, target LIMIT 10)
    TO '{target}' (FORMAT csv, HEADER)""")
