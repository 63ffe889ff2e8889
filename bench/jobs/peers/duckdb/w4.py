"""Access logs: calls per pair of services within a range of time, as JSON lines."""

import os
import sys

import duckdb

source, target, begin, end = sys.argv[1:]
os.makedirs(target)
# Lines are read as one column: no byte of a log is a separator, a quote or an escape here.
duckdb.sql(f"""
    COPY (SELECT md5(source || '/' || target) AS id, source, target, count(*) AS totalRequests
          FROM (SELECT coalesce(nullif(found.agent, ''), found.caller) AS source, found.target AS target,
                       strptime(found.time, '%d/%b/%Y:%H:%M:%S %z') AS moment
                FROM (SELECT regexp_extract(line, '^\\S+ - (\\S+) \\[([^\\]]+)\\] "\\S+ /([^/ ?]+)[^"]*" \\d+ "Machine \\([^;)]*(?:; ([^)]+))?\\)"$',
                                            ['caller', 'time', 'target', 'agent']) AS found
                      FROM read_csv('{source}/*.txt*', header = false, auto_detect = false, delim = '\x01', quote = '', escape = '',
                                    columns = {{line: 'VARCHAR'}})
                      WHERE contains(line, '"Machine (')))
          WHERE moment >= TIMESTAMPTZ '{begin}' AND moment < TIMESTAMPTZ '{end}'
          GROUP BY source, target)
    TO '{target}/report.json' (FORMAT json)""")
