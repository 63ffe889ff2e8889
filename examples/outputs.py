"""What the `verify.py` of the examples share: reading what a job wrote, and naming the first difference.

Plain Python on purpose: rows as dictionaries, numbers recomputed by loops, so that no query engine checks another."""

import datetime
import gzip
import json
import sys
from pathlib import Path
from urllib.parse import unquote

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def fail(text):
    """Ends with this as the difference found."""
    sys.exit(f"DIFFERENT: {text}")


def micros(moment):
    """Microseconds since 1970 of an ISO text, or of a datetime, which is UTC if it names no zone."""
    if isinstance(moment, str):
        moment = datetime.datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def shown(value):
    """Microseconds as people read them."""
    return (EPOCH + datetime.timedelta(microseconds=value)).isoformat()


def files(folder, *endings):
    """The files below a folder with these endings; names that begin with `_` or `.` are markers, not data."""
    folder = Path(folder)
    if not folder.is_dir():
        fail(f"there is no folder {folder}")
    found = [f for f in sorted(folder.rglob("*")) if f.is_file() and f.name.endswith(endings)]
    return [f for f in found if not any(part.startswith(("_", ".")) for part in f.relative_to(folder).parts)]


def folder_values(folder, path):
    """The columns that Hive folders (`name=value`) add, names in lower case, values as text."""
    parts = [part.split("=", 1) for part in Path(path).relative_to(folder).parts[:-1] if "=" in part]
    return {name.lower(): unquote(value) for name, value in parts}


def rows(folder):
    """Every row of the Parquet and JSON files below a folder, as a dictionary with lower-case names. Times of Parquet are
    microseconds since 1970; values of Hive folders are text."""
    found = files(folder, ".parquet", ".json", ".json.gz", ".jsonl", ".jsonl.gz")
    if not found:
        fail(f"nothing was written to {folder}")
    for path in found:
        added = folder_values(folder, path)
        for row in parquet_rows(path) if path.suffix == ".parquet" else json_rows(path):
            yield {**{name.lower(): value for name, value in row.items()}, **added}


def parquet_rows(path):
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = pq.ParquetFile(path).read()
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            column = table.column(index).cast(pa.timestamp("us", field.type.tz)).cast(pa.int64())
            table = table.set_column(index, field.name, column)
    return table.to_pylist()


def json_rows(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as lines:
        return [json.loads(line) for line in lines if line.strip()]


def needs(row, names, where):
    """Refuses a row that lacks a column or has another one."""
    for name in names:
        if name.lower() not in row:
            fail(f"{where} has no column {name}; it has {', '.join(row)}")
    known = {name.lower() for name in names}
    for name in row:
        if name not in known:
            fail(f"{where} has the column {name}, which is not asked for")


def close(left, right):
    """Equal, or two numbers that differ by the rounding of a double."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return abs(left - right) <= 1e-9 * max(1.0, abs(left), abs(right))
    return left == right


def compare(expected, found, what):
    """Two dictionaries of tuples by key: names the first key, in order, that is missing, too many or different."""
    for key in sorted(expected.keys() | found.keys(), key=str):
        if key not in found:
            fail(f"{what} {key} is missing; expected {expected[key]}")
        if key not in expected:
            fail(f"{what} {key} should not be there: {found[key]}")
        if len(expected[key]) != len(found[key]) or not all(map(close, expected[key], found[key])):
            fail(f"{what} {key} is {found[key]}, expected {expected[key]}")


def compare_counts(expected, found, what):
    """Two counters of rows: names the first row, in order, that is there too often or not often enough."""
    for row in sorted(expected.keys() | found.keys(), key=str):
        if expected[row] != found[row]:
            fail(f"{what} {row} is there {found[row]} times, expected {expected[row]}")
