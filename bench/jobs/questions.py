"""What is asked of the jobs' outputs: each engine asks the files that it wrote itself, as a whole process, and all must
answer the same. Glulam's output is registered by `glulam crawl` first, which is timed apart; the peers name the files.
The peers' questions are the scripts `<workload>-asked.py` beside their jobs; each writes its rows as CSV with a header."""

import sys

from .process import measured
from .table import Table

QUESTIONS = {
    "w1": ("Asked of the output: hourly average of one metric and component, of 200 partitions", """
SELECT date_trunc('hour', fromtimestamp) AS hour, avg(maxvalue) AS average, count(*) AS n
FROM {table} WHERE metricname = 'latency' AND componentname = 'service-07'
GROUP BY date_trunc('hour', fromtimestamp) ORDER BY hour"""),
    "w3": ("Asked of the output: records and mean speed of each camera in each hour", """
SELECT uniqueid, date_trunc('hour', originalrecordtimestamp) AS hour, count(*) AS n, avg(speed) AS average
FROM {table} GROUP BY uniqueid, date_trunc('hour', originalrecordtimestamp) ORDER BY uniqueid, hour"""),
    "w4": ("Asked of the output: the ten pairs of services with most calls", """
SELECT source, target, totalrequests FROM {table} ORDER BY totalrequests DESC, source, target LIMIT 10"""),
}


def ask(bench, workload, right):
    """The question's table, of those engines whose output was right."""
    title, sql = QUESTIONS[workload]
    table = Table(title, ("rows",))
    folder = bench.bucket / workload
    commands = {}
    for engine, command in right.items():
        answer = folder / f"asked-{engine}.csv"
        commands[engine] = bench.script(engine, f"{workload}-asked", command.out, answer)
        if engine == "glulam":
            name, seconds = registered(bench, workload, command.out)
            table.notes.append(f"Glulam's output was registered before, by `glulam crawl` in {seconds:.2f} s.")
            words = bench.sql(sql.format(table=name), "--output", answer, database=f"asked_{workload}")
            commands[engine] = type(command)(words, answer)
    bench.asked(f"{workload} asked", commands, table)
    bench.forget(command.out for command in commands.values())
    return table


def registered(bench, workload, out):
    """The one table that a crawl makes of Glulam's output, and how long the crawl took."""
    database = f"asked_{workload}"
    bench.quietly(bench.sql(f"DROP DATABASE IF EXISTS {database} CASCADE"))
    words = [bench.glulam, "--data", bench.data, "crawl", f"s3://bench/{workload}/{out.name}/", "--database", database, "--quiet"]
    done = measured(words, bench.arguments.timeout)
    if done["error"] is not None:
        sys.exit(f"the output of {workload} cannot be crawled: {done['error']}")
    tables = bench.quietly(bench.sql(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}'",
                                     "--format", "csv")).split()[1:]
    if len(tables) != 1:
        sys.exit(f"the crawl of the output of {workload} made the tables {tables}")
    return f'"{tables[0]}"', done["seconds"]
