"""The job cases of `run.py`: each of the five jobs as a whole process in `glulam job run` and in each peer, in turn,
outputs compared and then asked (`questions.py`); and the cases of `limits.py`. Data lies in
`<data>/buckets/bench/<workload>`; every engine reads the same files and writes a folder of its own beside them. How
Glulam is called stands in `glulam.json`."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

from sqlbench import compare

from . import data, limits, questions
from .process import measured
from .table import Table

HERE = Path(__file__).resolve().parent
TITLES = {
    "w1": "W1: windowed metrics, CSV to Parquet in 200 partitions ({:g} M rows)", "w2": "W2: plain metrics, CSV to windows of five minutes ({:g} M rows)",
    "w3": "W3: camera records, from the hour of arrival to that of the event, 72 partitions ({:g} M rows)",
    "w4": "W4: access logs to calls per pair of services, 24 of 48 hours ({:g} M lines)", "w4gz": "W4gz: the same from gzip ({:g} M lines)",
    "w5": "W5: taxi trips, cleaned ({:g} M rows)",
    "partitions": "W1 with 10,000 partitions: every row beside its neighbour goes to another one ({:g} M rows)",
}
PEERS = ["duckdb", "polars", "pandas", "pyspark", "sail"]
# A workload's job has the name of another's.
SAME_JOB = {"w4gz": "w4", "partitions": "w1"}
# Sail's client is another than PySpark's own.
SAIL_CLIENT = HERE.parent.parent / ".venv-sail"
# What must be there for a peer to run.
NEEDS = {"duckdb": "duckdb", "polars": "polars", "pandas": "pandas", "pyspark": "pyspark", "sail": "pysail"}

# What one engine does: its words, and the file or folder it writes.
Command = namedtuple("Command", "words out")


class Bench:
    """Where the data is, what runs, how often."""

    def __init__(self, folder, glulam, arguments):
        self.data, self.glulam, self.arguments = Path(folder), Path(glulam), arguments
        self.bucket = self.data / "buckets" / "bench"
        self.config = json.loads((HERE / "glulam.json").read_text())
        self.failures = []

    def failed(self, text):
        self.failures.append(text)
        print(f"  FAILED {text}", flush=True)

    def input(self, workload, scale=None, folder=None):
        """The workload's input, made once for a description."""
        name, scale = folder or workload, self.arguments.scale if scale is None else scale
        folder, stamp = self.bucket / name / "input", self.data / f"{name}.json"
        description = json.dumps([data.TASKS[workload](scale), "version 1"], sort_keys=True)
        if not stamp.exists() or stamp.read_text() != description:
            shutil.rmtree(folder, ignore_errors=True)
            data.make(self.glulam, workload, folder, scale)
            stamp.write_text(description)
        return folder

    def present(self, engines, table):
        """Those of the engines that can run here; of the others the table says why not."""
        wanted = [engine for engine in engines if engine == "glulam" and not self.arguments.only_peers or engine in self.arguments.peers]
        reasons = {engine: None if engine == "glulam" else absent(engine) for engine in wanted}
        table.absent += [(engine, why) for engine, why in reasons.items() if why]
        return [engine for engine, why in reasons.items() if not why]

    def commands(self, workload, table, folder=None, engines=("glulam", *PEERS)):
        """Each engine's command for a job."""
        name = folder or workload
        times = list(data.RANGE) if workload in ("w4", "w4gz") else []
        commands = {}
        for engine in self.present(engines, table):
            out = self.bucket / name / f"out-{engine}"
            if engine != "glulam":
                commands[engine] = self.script(engine, SAME_JOB.get(workload, workload), self.bucket / name / "input", out, *times)
            elif words := self.glulam_command(workload, name):
                commands[engine] = Command(words, out)
            else:
                table.absent.append((engine, "not built"))
        return commands

    def script(self, engine, name, source, out, *arguments):
        """A peer's script of `peers/`; Spark and Sail share theirs."""
        shared = engine in ("pyspark", "sail")
        home = HERE / "peers" / ("spark" if shared else engine)
        return Command([sys.executable, home / f"{name}.py", *([engine] if shared else []), source, out, *arguments], out)

    def glulam_command(self, workload, folder):
        """Glulam's command as `glulam.json` says, or nothing while command or job do not exist."""
        yaml = HERE / f"{SAME_JOB.get(workload, workload)}.yaml"
        words = {"glulam": self.glulam, "data": self.data, "yaml": yaml, "input": f"s3://bench/{folder}/input/",
                 "output": f"s3://bench/{folder}/out-glulam/", "from": data.RANGE[0], "to": data.RANGE[1]}

        def filled(template):
            return [word.format(**words) for word in template]
        probe = subprocess.run(filled(self.config["probe"]), capture_output=True)
        if not yaml.exists() or probe.returncode != 0:
            return None
        return filled(self.config["command"] + self.config["arguments"].get(workload, []))

    def sql(self, statement, *arguments, database="default"):
        """The words that run a statement in Glulam."""
        return [self.glulam, "sql", "--data", self.data, "--database", database, *arguments, statement]

    def quietly(self, words):
        """Runs what is not measured and must succeed."""
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")
        return done.stdout

    def turns(self, what, commands, table):
        """Runs the commands in turn and gives the counted runs of each that succeeded. The first turn warms up; it is
        the only one, and counts, for an engine that is too slow for more."""
        taken = {engine: [] for engine in commands}
        slow = set()
        for turn in range(self.arguments.runs + 1):
            for engine in [engine for engine in taken if engine not in slow]:
                remove(commands[engine].out)
                done = measured(commands[engine].words, self.arguments.timeout, {"PYTHONPATH": str(SAIL_CLIENT)} if engine == "sail" else {})
                if done["error"] is not None:
                    # That a peer has too little time or memory is a result.
                    table.absent.append((engine, done["why"] or "failed"))
                    if engine == "glulam" or done["why"] is None:
                        self.failed(f"{what}, {engine}: {done['error']}")
                    del taken[engine]
                else:
                    if turn == 0 and done["seconds"] > self.arguments.slow:
                        slow.add(engine)
                    if turn or engine in slow or not self.arguments.runs:
                        taken[engine].append(done)
                name = "only run" if engine in slow else turn or "warm-up"
                ended = f", {done['why']}" if done["why"] else ""
                print(f"  {what} {engine} {name}: {done['seconds']:.2f} s, {done['cpu']:.2f} CPU s, {done['mb']:,.0f} MB{ended}", flush=True)
        return taken

    def job(self, workload, engines=("glulam", *PEERS)):
        """One job in all engines: the table, and the commands of those whose output was right."""
        table = Table(TITLES[workload].format(data.MILLIONS[workload] * self.arguments.scale), ("files", "MB written"))
        self.input(workload)
        commands = self.commands(workload, table, engines=engines)
        taken = self.turns(workload, commands, table)
        right = self.compared(workload, commands, taken, table)
        return table, right, commands

    def compared(self, workload, commands, taken, table):
        """Adds what the engines took and wrote to the table; gives the commands of those whose output was right."""
        right = {}
        for engine, facts in self.checked(workload, {engine: commands[engine].out for engine in taken}).items():
            if facts is None:
                table.absent.append((engine, "wrong output"))
            else:
                table.add(engine, taken[engine], str(facts["files"]), f"{facts['bytes'] / 1e6:,.1f}")
                right[engine] = commands[engine]
        return right

    def asked(self, what, commands, table):
        """Questions in turn, each with a CSV as answer: the table's lines are those of the answers that equal the first."""
        taken = self.turns(what, commands, table)
        rows = {engine: compare.rows(commands[engine].out.read_text(), True) for engine in taken}
        for engine, runs in taken.items():
            first = next(iter(rows))
            if found := compare.difference(rows[first], rows[engine]):
                self.failed(f"{what}: {first} and {engine} differ: {found}")
                table.absent.append((engine, "wrong answer"))
            else:
                table.add(engine, runs, f"{len(rows[engine]):,}")

    def checked(self, workload, outputs):
        """What each engine wrote; nothing for an engine whose output differs from the first one's."""
        if not outputs:
            return {}
        folders = [f"{engine}={out}" for engine, out in outputs.items()]
        done = subprocess.run([sys.executable, HERE / "check.py", workload, *folders], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"the outputs of {workload} cannot be compared:\n{done.stderr}")
        found = json.loads(done.stdout)
        for engine, text in found["differences"].items():
            self.failed(f"{workload}: the output of {engine} {text}")
        rows = {facts["rows"] for facts in found["engines"].values()}
        print(f"  {workload}: {', '.join(f'{n:,}' for n in rows)} rows from every engine, compared", flush=True)
        return {engine: None if engine in found["differences"] else found["engines"][engine] for engine in outputs}

    def run(self, case):
        """A case by its name: what knows its markdown."""
        return CASES[case](self)

    def forget(self, paths):
        """Removes outputs, unless they are to be kept."""
        if not self.arguments.keep:
            for path in paths:
                remove(path)


def remove(path):
    """A file or folder that may be there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def absent(engine):
    """Why a peer cannot run here, or nothing."""
    import importlib.util
    if importlib.util.find_spec(NEEDS[engine]) is None:
        return "not run: its package is not installed"
    if engine == "pyspark" and not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        return "not run: there is no Java"
    if engine == "sail" and not SAIL_CLIENT.is_dir():
        return "not run: its client is not installed"
    return None


def whole(workload, engines=("glulam", *PEERS)):
    """The case of a job: done, compared, and its output asked."""
    def run(bench):
        table, right, commands = bench.job(workload, engines)
        if workload in questions.QUESTIONS:
            table.parts.append(questions.ask(bench, workload, right))
        bench.forget(command.out for command in commands.values())
        return table
    return run


CASES = {
    **{f"jobs-{workload}": whole(workload) for workload in TITLES if workload != "partitions"},
    "jobs-partitions": whole("partitions", ("glulam", "duckdb", "polars")),
    "jobs-beyond": limits.beyond,
    "jobs-growth": limits.growth,
}
