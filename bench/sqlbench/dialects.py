"""Trino's SQL for the peers: only what the measured statements use and the peers spell otherwise."""

import re

RULES = {
    "duckdb": [
        (r"approx_percentile\(", "approx_quantile("),
        # Trino's groups are $1, DuckDB's \1.
        (r"(regexp_replace\([^']*'[^']*', ')\$(\d)'", r"\1\\\2'"),
    ],
    "datafusion": [
        (r"approx_percentile\(", "approx_percentile_cont("),
        (r"(regexp_replace\([^']*'[^']*', ')\$(\d)'", r"\1\\\2'"),
    ],
}


def translated(sql, engine):
    """The statement as this engine wants it."""
    for pattern, replacement in RULES.get(engine, []):
        sql = re.sub(pattern, replacement, sql)
    return sql
