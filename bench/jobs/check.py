"""Whether engines wrote the same rows: `check.py WORKLOAD ENGINE=FOLDER…` reads each output with pyarrow and reports as
JSON what it is ({"engines": {engine: {"rows", "files", "bytes"}}}) and how it differs from the first ({"differences"}).

Rows may come in any order and in any number of files, names of columns in any case. Numbers with decimals are compared
as whole thousandths or cents, so that sums are exact; sums of products of columns tell whether the values of one row
stayed together."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def data_files(folder):
    """Files with rows; markers and checksums that engines leave beside them begin with `_` or `.`."""
    return sorted(f for f in Path(folder).rglob("*")
                  if f.is_file() and not any(part.startswith(("_", ".")) for part in f.relative_to(folder).parts))


def tables(folder):
    """Every Parquet file as (partition values, columns by lower-case name)."""
    for path in data_files(folder):
        keys = dict(part.lower().split("=", 1) for part in path.relative_to(folder).parts[:-1])
        # ParquetFile, not read_table: the latter would add the folders' values as columns.
        table = pq.ParquetFile(path).read()
        yield {key: unquote(text) for key, text in keys.items()}, {n.lower(): c for n, c in zip(table.column_names, table.columns)}


def times(column):
    """Microseconds since 1970, whatever unit and zone the file says."""
    return column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_numpy()


def scaled(column, factor):
    """Whole thousandths, cents or seconds; the value of a null is -1."""
    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(values), -1, np.rint(values * factor)).astype(np.int64)


def whole(column):
    return column.cast(pa.int64()).to_numpy()


def total(values):
    """An exact sum: the halves of all values apart, which cannot overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def product(*columns):
    """A checksum of rows: products and their sum wrap around at 64 bits."""
    result = np.ones(len(columns[0]), dtype=np.uint64)
    for number, column in enumerate(columns):
        result *= column.astype(np.uint64) * np.uint64(2) + np.uint64(2 * number + 1)
    return int(result.sum(dtype=np.uint64))


def partitioned(folder, keys, columns):
    """Per partition: rows, sums and checksum."""
    facts = defaultdict(list)
    for values, table in tables(folder):
        missing = [key for key in keys if key not in values]
        if missing:
            raise SystemExit(f"{folder} is not partitioned by {', '.join(missing)}")
        found = columns(table)
        name = "/".join(str(int(values[k])) if values[k].isdigit() else values[k] for k in keys)
        facts[name].append([len(found[0]), *(total(column) for column in found), product(*found)])
    summed = {name: [sum(numbers) for numbers in zip(*parts)] for name, parts in facts.items()}
    return {name: [*numbers[:-1], numbers[-1] % 2**64] for name, numbers in summed.items()}, sum(n[0] for n in summed.values())


def w1(folder):
    def columns(table):
        units = table["unit"].unique().to_pylist()
        if units != ["percent"]:
            raise SystemExit(f"{folder} has the units {units}")
        return (times(table["fromtimestamp"]), times(table["totimestamp"]), scaled(table["minvalue"], 1000), scaled(table["maxvalue"], 1000))
    return partitioned(folder, ["metricname", "componentname"], columns)


def w2(folder):
    rows = {}
    for _, table in tables(folder):
        found = [table["componentname"].to_pylist(), table["metricname"].to_pylist(), table["unit"].to_pylist(),
                 times(table["fromtimestamp"]).tolist(), times(table["totimestamp"]).tolist(), scaled(table["minvalue"], 1000).tolist(),
                 scaled(table["maxvalue"], 1000).tolist(), table["averagevalue"].to_pylist(), table["measurements"].to_pylist()]
        for *row, count in zip(*found):
            key = " ".join(map(str, row[:4]))
            if key in rows:
                raise SystemExit(f"{folder} has the window {key} twice")
            rows[key] = [*row[4:], int(count)]
    return rows, len(rows)


def w3(folder):
    def columns(table):
        return (*(whole(table[name]) for name in ("uniqueid", "speed", "trafficjamindicator", "recordtimestamp")),
                times(table["originalrecordtimestamp"]))
    return partitioned(folder, ["year", "month", "day", "hour"], columns)


def w4(folder):
    rows = {}
    for path in data_files(folder):
        for line in path.read_text().splitlines():
            row = {name.lower(): cell for name, cell in json.loads(line).items()}
            rows[f"{row['source']} -> {row['target']}"] = [row["id"], int(row["totalrequests"])]
    return rows, len(rows)


def w5(folder):
    names = ["vendorid", "pulocationid", "dolocationid", "payment_type"]
    money = ["passenger_count", "trip_distance", "fare_amount", "tip_amount", "total_amount"]
    facts, rows = [], 0
    for _, table in tables(folder):
        begin, end = times(table["tpep_pickup_datetime"]), times(table["tpep_dropoff_datetime"])
        numbers = [begin, end, *(whole(table[n]) for n in names), *(scaled(table[n], 100) for n in money), scaled(table["trip_duration"], 3600)]
        facts.append([*(total(n) for n in numbers), table["passenger_count"].null_count, product(*numbers)])
        rows += len(begin)
    summed = [sum(numbers) for numbers in zip(*facts)]
    return {"all": [rows, *summed[:-1], summed[-1] % 2**64] if summed else [0]}, rows


def groups(folder):
    """Sorted groups: that they are in order, beside their sums and checksum."""
    facts, last = [], None
    for path in data_files(folder):
        for batch in pq.ParquetFile(path).iter_batches(1_000_000):
            columns = {name.lower(): column for name, column in zip(batch.schema.names, batch.columns)}
            numbers = [-scaled(columns["most"], 1000), *(codes(columns[name]) for name in ("componentname", "metricname")),
                       columns["fromtimestamp"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()]
            if last is not None:
                numbers = [np.concatenate(([end], column)) for end, column in zip(last, numbers)]
            if not ascending(numbers):
                raise SystemExit(f"{folder} is not in order")
            if last is not None:
                numbers = [column[1:] for column in numbers]
            last = [column[-1] for column in numbers]
            values = [*numbers, scaled(columns["least"], 1000), whole(columns["n"])]
            facts.append([batch.num_rows, *map(total, values), product(*values)])
    summed = [sum(numbers) for numbers in zip(*facts)]
    return {"all": [*summed[:-1], summed[-1] % 2**64] if summed else [0]}, summed[0] if summed else 0


def codes(column):
    """Names as numbers that come in the same order: their first bytes and their last."""
    found = column.cast(pa.string()).dictionary_encode()
    numbers = [int.from_bytes((name[:4].ljust(4) + name[-2:]).encode()) for name in found.dictionary.to_pylist()]
    return np.array(numbers, dtype=np.int64)[found.indices.to_numpy()]


def ascending(columns):
    """Whether rows are in the order of their columns, the first above all."""
    open_, sorted_ = np.ones(len(columns[0]) - 1, dtype=bool), True
    for column in columns:
        step = np.diff(column)
        sorted_ &= not (open_ & (step < 0)).any()
        open_ &= step == 0
    return sorted_


READERS = {"w1": w1, "partitions": w1, "groups": groups, "w2": w2, "w3": w3, "w4": w4, "w4gz": w4, "w5": w5}


def same(left, right):
    def close(a, b):
        if isinstance(a, float) or isinstance(b, float):
            return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
        return a == b
    return len(left) == len(right) and all(map(close, left, right))


def difference(first, other):
    """The first difference, or nothing."""
    for key in first.keys() | other.keys():
        if key not in first:
            return f"{key} is there once too often"
        if key not in other:
            return f"{key} is missing"
    for key, numbers in first.items():
        if not same(numbers, other[key]):
            return f"{key}: {numbers} beside {other[key]}"
    return None


def main():
    workload, *folders = sys.argv[1:]
    engines, differences, first = {}, {}, None
    for engine, folder in (argument.split("=", 1) for argument in folders):
        try:
            facts, rows = READERS[workload](folder)
        except (SystemExit, KeyError, ValueError, pa.ArrowException) as error:
            differences[engine] = f"cannot be read: {error!r}"
            continue
        files = data_files(folder)
        engines[engine] = {"rows": rows, "files": len(files), "bytes": sum(f.stat().st_size for f in files)}
        if first is None:
            first = (engine, facts)
        elif found := difference(first[1], facts):
            differences[engine] = f"differs from {first[0]}: {found}"
    json.dump({"engines": engines, "differences": differences}, sys.stdout)


if __name__ == "__main__":
    main()
