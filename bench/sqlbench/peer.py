"""One query in one peer, as a whole process: `peer.py ENGINE JOB.json`. Rows go to standard output as CSV.

A job names tables (Parquet files or folders) and a statement; or, for Polars, a function of `frames.py`."""

import csv
import json
import sys


def duckdb_rows(job):
    import duckdb
    connection = duckdb.connect()
    for name, files in job["tables"].items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{files}/**/*.parquet', hive_partitioning = "
                           f"{str(name in job.get('partitioned', [])).lower()})")
    result = connection.execute(job["sql"])
    return result.fetchall() if result.description else []


def datafusion_rows(job):
    import datafusion
    context = datafusion.SessionContext()
    for name, files in job["tables"].items():
        if name in job.get("partitioned", []):
            import pyarrow as pa
            keys = [(key, pa.string()) for key in job["partitioned"][name]]
            context.register_parquet(name, files, table_partition_cols=keys)
        else:
            context.register_parquet(name, files)
    batches = context.sql(job["sql"]).collect()
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


def polars_rows(job):
    import frames
    return getattr(frames, job["frame"])(job)


def main():
    engine, path = sys.argv[1:]
    with open(path) as file:
        job = json.load(file)
    rows = {"duckdb": duckdb_rows, "datafusion": datafusion_rows, "polars": polars_rows}[engine](job)
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
