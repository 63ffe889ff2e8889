"""The SQL cases of `run.py`: each statement as a whole process in `glulam sql` and in each peer, in turn, results
compared. Data lies in `<data>/buckets/bench/…`, where the tables of all engines read the same files."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from . import clicks, compare, dialects, tpch, windows

HERE = Path(__file__).resolve().parent


class Table:
    """What a case reports: a line for each statement, each engine's median and its ratio to Glulam's."""

    def __init__(self, title, engines):
        self.title, self.engines, self.lines = title, engines, []

    def add(self, what, seconds):
        self.lines.append((what, seconds))
        print("  " + ", ".join([what] + [f"{e} {seconds[e]:.3f} s" for e in self.engines if e in seconds]), flush=True)

    def markdown(self):
        first, *peers = self.engines
        head = ["what", f"{first} s", *(cell for peer in peers for cell in (f"{peer} s", f"{first} / {peer}"))]
        text = [f"## {self.title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for what, seconds in [*self.lines, *self.totals()]:
            cells = [what, number(seconds.get(first))]
            for peer in peers:
                both = peer in seconds and first in seconds
                cells += [number(seconds.get(peer)), f"{seconds[first] / seconds[peer]:.2f}" if both else ""]
            text.append("| " + " | ".join(cells) + " |")
        return "\n".join([*text, ""])

    def totals(self):
        """The sum over the statements that every engine ran."""
        shared = [seconds for _, seconds in self.lines if all(e in seconds for e in self.engines)]
        if len(shared) > 1:
            yield f"all {len(shared)} together", {e: sum(s[e] for s in shared) for e in self.engines}


def number(seconds):
    return "" if seconds is None else f"{seconds:.3f}"


class Bench:
    """Where the data is, what runs, how often."""

    def __init__(self, data, glulam, runs, only_peers):
        self.data, self.glulam, self.runs, self.only_peers = Path(data), glulam, runs, only_peers
        self.bucket = self.data / "buckets" / "bench"
        self.failures = []

    def engines(self, *peers):
        return [*([] if self.only_peers else ["glulam"]), *peers]

    def sql(self, statement, database="bench"):
        return [self.glulam, "sql", "--data", self.data, "--database", database, "--format", "csv", statement]

    def prepare(self, name, description, make):
        """Data that is made once for a description."""
        stamp = self.data / f"{name}.json"
        text = json.dumps(description, sort_keys=True)
        if not stamp.exists() or stamp.read_text() != text:
            self.data.mkdir(parents=True, exist_ok=True)
            make()
            stamp.write_text(text)

    def tables(self, database, statements):
        """Declares tables in Glulam's catalog."""
        if self.only_peers:
            return
        run([self.glulam, "sql", "--data", self.data, f"CREATE DATABASE IF NOT EXISTS {database}"])
        for statement in statements:
            run(self.sql(statement, database))

    def peer(self, engine, name, job):
        path = self.data / "jobs" / f"{name}-{engine}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(job))
        return [sys.executable, HERE / "peer.py", engine, path]

    def measure(self, table, what, commands, check=None, tolerance=1e-6, loose=()):
        """Runs the commands in turn and adds their medians; the first one's rows are what the others must give."""
        taken, outputs = {engine: [] for engine in commands}, {}
        for turn in range(self.runs + 1):
            for engine, command in commands.items():
                if engine in taken:
                    seconds, outputs[engine], error = timed(command)
                    if error:
                        self.failed(f"{what}, {engine}: {error}")
                        del taken[engine], outputs[engine]
                    elif turn:
                        taken[engine].append(seconds)
        if check is None:
            self.compare(what, outputs, tolerance, loose)
        else:
            check(outputs)
        table.add(what, {engine: statistics.median(seconds) for engine, seconds in taken.items()})

    def compare(self, what, outputs, tolerance, loose):
        parsed = {engine: compare.rows(text, engine == "glulam") for engine, text in outputs.items()}
        engines = list(parsed)
        if engines and not any(any(cell is not None for cell in row) for row in parsed[engines[0]]):
            print(f"  note: {what} gives no rows at this scale, so little is compared", flush=True)
        for other in engines[1:]:
            found = compare.difference(parsed[engines[0]], parsed[other], tolerance, loose)
            if found:
                self.failed(f"{what}: {engines[0]} and {other} differ: {found}")

    def failed(self, text):
        self.failures.append(text)
        print(f"  FAILED {text}", flush=True)


def run(command):
    seconds, out, error = timed(command)
    if error:
        sys.exit(f"{' '.join(map(str, command))}: {error}")
    return out


def timed(command):
    """Seconds, standard output, and what went wrong, of a whole process."""
    begun = time.perf_counter()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    return seconds, done.stdout, (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else None


def external(name, columns, location, keys=()):
    """Hive DDL for a table over Parquet."""
    kinds = {"varchar": "string", "integer": "int"}
    listed = ", ".join(f"`{column}` {kinds.get(kind, kind)}" for column, kind in columns)
    by = f" PARTITIONED BY ({', '.join(f'`{k}` {t}' for k, t in keys)})" if keys else ""
    return f"CREATE EXTERNAL TABLE IF NOT EXISTS {name} ({listed}){by} STORED AS PARQUET LOCATION 's3://bench/{location}/'"


def statements(folder):
    for path in sorted((HERE / folder).glob("q*.sql")):
        title, sql = path.read_text().split("\n", 1)
        yield path.stem, title.removeprefix("-- "), sql.strip()


def suite(bench, name, module, title, scale):
    """A folder of statements over tables of one file format."""
    bench.prepare(name, {"scale": scale, "version": 1, "case": name}, lambda: module.make(fresh(bench.bucket / name), scale))
    bench.tables(name, (external(t, columns, f"{name}/{t}") for t, columns in module.TABLES.items()))
    files = {table: str(bench.bucket / name / table) for table in module.TABLES}
    table = Table(f"{title}, scale {scale:g}", bench.engines("duckdb", "datafusion"))
    for stem, what, sql in statements(name):
        commands = {} if bench.only_peers else {"glulam": bench.sql(sql, name)}
        for engine in ("duckdb", "datafusion"):
            job = {"tables": files, "sql": dialects.translated(sql, engine)}
            commands[engine] = bench.peer(engine, f"{name}-{stem}", job)
        bench.measure(table, f"{stem} {what}", commands)
    return table


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def sql_tpch(bench, scale):
    return suite(bench, "tpch", tpch, "TPC-H-like", scale)


def sql_clicks(bench, scale):
    return suite(bench, "clicks", clicks, "ClickBench-like", scale)


def windowed(bench, scale):
    """The windowed metrics, as CSV and as Parquet in partitions."""
    def make():
        for name in ("windows-csv", "windows"):
            shutil.rmtree(bench.bucket / name, ignore_errors=True)
        windows.make_csv(bench.glulam, bench.bucket, scale)
        windows.make_parquet(bench.bucket)

    bench.prepare("windows", {"scale": scale, "version": 1}, make)
    metrics = external("metrics", windows.COLUMNS, "windows", windows.KEYS)
    csv = windows.CSV_TABLE.replace("EXTERNAL TABLE", "EXTERNAL TABLE IF NOT EXISTS")
    bench.tables("bench", (metrics, csv, "MSCK REPAIR TABLE metrics"))


def sql_w6(bench, scale):
    windowed(bench, scale)
    table = Table(f"W6: windowed metrics as Parquet in 200 partitions, {10 * scale:g} M rows",
                  bench.engines("duckdb", "polars", "datafusion"))
    for name, (what, sql) in windows.QUERIES.items():
        commands = {} if bench.only_peers else {"glulam": bench.sql(sql)}
        job = {"tables": {"metrics": str(bench.bucket / "windows")}, "partitioned": {"metrics": ["metric", "component"]},
               "metric": "latency", "component": "service-07", "frame": f"w6{name}"}
        for engine in ("duckdb", "polars", "datafusion"):
            commands[engine] = bench.peer(engine, f"w6{name}", {**job, "sql": dialects.translated(sql, engine)})
        # The engines' percentiles are approximations, each by its own method.
        bench.measure(table, f"{name}: {what}", commands, loose=(4,) if name == "b" else ())
    return table


def ctas_w1(bench, scale):
    windowed(bench, scale)
    table = Table(f"W1: CSV to Parquet in 200 partitions, {10 * scale:g} M rows", bench.engines("duckdb", "polars", "datafusion"))
    source, select = bench.bucket / "windows-csv", windows.DUCKDB.format(csv=bench.bucket / "windows-csv")
    taken, sums = {engine: [] for engine in table.engines}, {}
    for turn in range(bench.runs + 1):
        for engine in [e for e in table.engines if e in taken]:
            out = bench.bucket / f"windows-out-{engine}"
            if engine == "glulam":
                timed(bench.sql("DROP TABLE IF EXISTS windows_out"))
                command = bench.sql(windows.CTAS.replace("windows_{turn}", "windows_out").replace("windows-{turn}", out.name))
            else:
                command = [sys.executable, "-c", windows.WRITERS[engine], source, out, select]
            shutil.rmtree(out, ignore_errors=True)
            seconds, _, error = timed(command)
            if error:
                bench.failed(f"W1, {engine}: {error}")
                del taken[engine]
            elif turn:
                taken[engine].append(seconds)
            else:
                sums[engine] = checksum(out)
    for engine, (facts, files, size) in sums.items():
        print(f"  {engine}: {files} files, {size / 1e6:,.0f} MB")
    first, *others = sums
    for other in others:
        found = compare.difference(sums[first][0], sums[other][0])
        if found:
            bench.failed(f"W1: {first} and {other} wrote different rows: {found}")
    table.add("CSV to Parquet", {engine: statistics.median(seconds) for engine, seconds in taken.items()})
    return table


def checksum(folder):
    """Per partition: rows, sums and ends of what was written; files and bytes."""
    import duckdb
    files = [file for file in folder.rglob("*") if file.is_file()]
    found = duckdb.sql(f"""SELECT metric, component, count(*), sum(minimum), sum(maximum), min(started)::TIMESTAMP, max(ended)::TIMESTAMP,
        min(unit) FROM read_parquet('{folder}/**/*', hive_partitioning = true) GROUP BY ALL ORDER BY ALL""").fetchall()
    rows = [[compare.value(str(cell)) for cell in row] for row in found]
    return rows, len(files), sum(file.stat().st_size for file in files)


def select_1(bench, scale):
    table = Table("SELECT 1: from the start of the process to its end", bench.engines("duckdb", "datafusion"))
    commands = {} if bench.only_peers else {"glulam": bench.sql("SELECT 1")}
    if not bench.only_peers:
        bench.tables("bench", ())
    for engine in ("duckdb", "datafusion"):
        commands[engine] = bench.peer(engine, "select-1", {"tables": {}, "sql": "SELECT 1"})
    bench.measure(table, "SELECT 1", commands)
    return table


CASES = {"sql-w6": sql_w6, "sql-tpch": sql_tpch, "sql-clicks": sql_clicks, "ctas-w1": ctas_w1, "select-1": select_1}
