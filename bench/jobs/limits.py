"""How far it goes: an input larger than the memory that an engine may take, and the same job over more and more rows."""

from . import data
from .table import Growth, Table

WINDOWS = """CREATE EXTERNAL TABLE IF NOT EXISTS windows (componentname string, fromtimestamp string, maxvalue double,
    metricname string, minvalue double, totimestamp string, unit string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://bench/beyond/input/'
TBLPROPERTIES ('skip.header.line.count' = '1')"""
# Every row is a group of its own, and all are sorted.
GROUPS = """UNLOAD (SELECT componentname, metricname, fromtimestamp, count(*) AS n, min(minvalue) AS least, max(maxvalue) AS most
    FROM windows GROUP BY componentname, metricname, fromtimestamp
    ORDER BY most DESC, componentname, metricname, fromtimestamp)
TO 's3://bench/beyond/groups-glulam/' WITH (format = 'PARQUET', compression = 'ZSTD')"""
# Each window beside that which begins when it ends.
JOIN = """SELECT a.metricname, count(*) AS n, sum(b.maxvalue - a.maxvalue) AS change, max(b.maxvalue - a.maxvalue) AS most
FROM windows a JOIN windows b
    ON a.componentname = b.componentname AND a.metricname = b.metricname AND a.totimestamp = b.fromtimestamp
GROUP BY a.metricname ORDER BY a.metricname"""

SHARES = (0.1, 1 / 3, 1.0)


def beyond(bench):
    """Groups and a sort, and a join, under a limit of memory that the input exceeds several times."""
    source, limit = bench.input("beyond"), data.limit_mb(bench.arguments.scale)
    files = [file.stat().st_size for file in source.iterdir()]
    rows = data.BEYOND * limit * 1_048_576 / data.ROW_BYTES
    table = Table(f"{sum(files) / 1_048_576:,.0f} MiB of CSV ({rows / 1e6:.1f} M rows) in {limit:,} MiB of memory: "
                  "as many groups as rows, sorted, to Parquet", ("files", "MB written"))
    joined = Table("The same rows joined with themselves", ("rows",))
    table.parts.append(joined)
    table.notes.append("The limit is what each engine is told (`sql.memory_mb`, `memory_limit`, `POLARS_OOC_MEMORY_BUDGET_MB`); "
                       "peak memory is that of the process.")
    if not bench.arguments.only_peers:
        bench.quietly(bench.sql("CREATE DATABASE IF NOT EXISTS beyond"))
        bench.quietly(bench.sql(WINDOWS, database="beyond"))
    grouping, joining = {}, {}
    folder = bench.bucket / "beyond"
    for engine in bench.present(("glulam", "duckdb", "polars"), table):
        groups, joins = folder / f"groups-{engine}", folder / f"join-{engine}.csv"
        spills = folder / f"spills-{engine}"
        grouping[engine] = bench.script(engine, "beyond-groups", source, groups, str(limit), spills)
        joining[engine] = bench.script(engine, "beyond-join", source, joins, str(limit), spills)
        if engine == "glulam":
            within = ("--set", f"sql.memory_mb={limit}")
            grouping[engine] = grouping[engine]._replace(words=bench.sql(GROUPS, *within, database="beyond"))
            joining[engine] = joining[engine]._replace(words=bench.sql(JOIN, *within, "--output", joins, database="beyond"))
    taken = bench.turns("groups beyond memory", grouping, table)
    bench.compared("groups", grouping, taken, table)
    bench.forget(command.out for command in grouping.values())
    bench.asked("join beyond memory", joining, joined)
    bench.forget([*(command.out for command in joining.values()), *(folder / f"spills-{engine}" for engine in joining)])
    return table


def growth(bench):
    """W1 and W5 at three sizes."""
    report = Growth()
    for workload in ("w1", "w5"):
        sizes = {}
        for share in SHARES:
            folder = workload if share == 1 else f"{workload}-{share:.2f}"
            scale = bench.arguments.scale * share
            bench.input(workload, scale, folder)
            failed = Table("")
            commands = bench.commands(workload, failed, folder, ("glulam", "duckdb", "polars"))
            taken = bench.turns(f"{workload}, {share:.2f}", commands, failed)
            right = bench.checked(workload, {engine: commands[engine].out for engine in taken})
            failed.absent += [(engine, "wrong output") for engine, facts in right.items() if facts is None]
            for engine in (engine for engine, facts in right.items() if facts):
                sizes.setdefault(engine, []).append((round(data.MILLIONS[workload] * scale, 3), taken[engine]))
            report.absent += [(f"{workload.upper()}, {share:.2f}", line) for line in failed.absent]
            bench.forget(command.out for command in commands.values())
        for engine, measured in sizes.items():
            report.add(workload.upper(), engine, measured)
    return report
