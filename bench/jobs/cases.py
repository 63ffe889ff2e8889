"""The job cases of `run.py`: each of the five jobs as a whole process in `glulam job run` and in each peer, in turn,
outputs compared. Data lies in `<data>/buckets/bench/<workload>`; every engine reads the same files and writes a folder
of its own beside them. How Glulam is called stands in `glulam.json`."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from . import data

HERE = Path(__file__).resolve().parent
TITLES = {
    "w1": "W1: windowed metrics, CSV to Parquet in 200 partitions ({:g} M rows)", "w2": "W2: plain metrics, CSV to windows of five minutes ({:g} M rows)",
    "w3": "W3: camera records, from the hour of arrival to that of the event, 72 partitions ({:g} M rows)",
    "w4": "W4: access logs to calls per pair of services, 24 of 48 hours ({:g} M lines)", "w4gz": "W4gz: the same from gzip ({:g} M lines)",
    "w5": "W5: taxi trips, cleaned ({:g} M rows)",
}
MILLIONS = {"w1": 10, "w2": 15, "w3": 10, "w4": 10, "w4gz": 10, "w5": 12}
PEERS = ["duckdb", "polars", "pandas", "pyspark", "sail"]
# Sail's client is another than PySpark's own.
SAIL_CLIENT = HERE.parent.parent / ".venv-sail"
# What must be there for a peer to run.
NEEDS = {"duckdb": "duckdb", "polars": "polars", "pandas": "pandas", "pyspark": "pyspark", "sail": "pysail"}


def measured(command, limit, environment=None):
    """What measure.py says of a whole process."""
    arguments = [sys.executable, "-S", HERE / "measure.py", str(limit), *command]
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=True, env={**os.environ, **(environment or {})})
    return json.loads(done.stdout)


class Table:
    """A line for each engine: seconds, ratio to the best, CPU seconds, peak memory, what it wrote."""

    def __init__(self, title):
        self.title, self.lines, self.absent = title, [], []

    def markdown(self):
        best = min((seconds for _, seconds, *_ in self.lines), default=None)
        least = min((mb for *_, mb, _ in self.lines), default=None)
        text = [f"## {self.title}", "", "| engine | median s | to the best | CPU s | peak MB | to the least | files | MB written |", "|---|---|---|---|---|---|---|---|"]
        for engine, seconds, cpu, mb, wrote in self.lines:
            text.append(f"| {engine} | {seconds:.2f} | {seconds / best:.2f} | {cpu:.2f} | {mb:,.0f} | {mb / least:.2f} | {wrote['files']} | {wrote['bytes'] / 1e6:,.1f} |")
        text += [f"| {engine} | {why} | | | | | | |" for engine, why in self.absent]
        return "\n".join([*text, ""])


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

    def input(self, workload):
        """The workload's input, made once for a description."""
        folder, stamp = self.bucket / workload / "input", self.data / f"{workload}.json"
        description = json.dumps([data.TASKS[workload](self.arguments.scale), "version 1"], sort_keys=True)
        if not stamp.exists() or stamp.read_text() != description:
            shutil.rmtree(folder, ignore_errors=True)
            data.make(self.glulam, workload, folder, self.arguments.scale)
            stamp.write_text(description)
        return folder

    def commands(self, workload, table):
        """Each engine's command and output folder; what cannot run goes to the table as such."""
        folder = self.bucket / workload
        commands = {}
        if not self.arguments.only_peers:
            if command := self.glulam_command(workload):
                commands["glulam"] = (command, folder / "out-glulam")
            else:
                table.absent.append(("glulam", "not built"))
        times = list(data.RANGE) if workload in ("w4", "w4gz") else []
        script = "w4" if workload == "w4gz" else workload
        for engine in self.arguments.peers:
            if why := absent(engine):
                table.absent.append((engine, why))
                continue
            out = folder / f"out-{engine}"
            home = HERE / "peers" / ("spark" if engine in ("pyspark", "sail") else engine)
            name = [engine] if engine in ("pyspark", "sail") else []
            commands[engine] = ([sys.executable, home / f"{script}.py", *name, folder / "input", out, *times], out)
        return commands

    def glulam_command(self, workload):
        """Glulam's command as `glulam.json` says, or nothing while command or job do not exist."""
        yaml = HERE / f"{self.config['yaml'].get(workload, workload)}.yaml"
        words = {"glulam": self.glulam, "data": self.data, "yaml": yaml, "input": f"s3://bench/{workload}/input/",
                 "output": f"s3://bench/{workload}/out-glulam/", "from": data.RANGE[0], "to": data.RANGE[1]}

        def filled(template):
            return [word.format(**words) for word in template]
        probe = subprocess.run(filled(self.config["probe"]), capture_output=True)
        if not yaml.exists() or probe.returncode != 0:
            return None
        return filled(self.config["command"] + self.config["arguments"].get(workload, []))

    def run(self, workload):
        table = Table(TITLES[workload].format(MILLIONS[workload] * self.arguments.scale))
        self.input(workload)
        commands = self.commands(workload, table)
        taken = {engine: [] for engine in commands}
        for turn in range(self.arguments.runs + 1):
            for engine in list(taken):
                command, out = commands[engine]
                shutil.rmtree(out, ignore_errors=True)
                done = self.measured(command, {"PYTHONPATH": str(SAIL_CLIENT)} if engine == "sail" else {})
                if done["error"] is not None:
                    self.failed(f"{workload}, {engine}: {done['error']}")
                    table.absent.append((engine, "failed"))
                    del taken[engine]
                elif turn or not self.arguments.runs:
                    taken[engine].append(done)
                print(f"  {workload} {engine} {'warm-up' if not turn else turn}: {done['seconds']:.2f} s, {done['mb']:,.0f} MB", flush=True)
        self.report(workload, table, taken, commands)
        if not self.arguments.keep:
            for _, out in commands.values():
                shutil.rmtree(out, ignore_errors=True)
        return table

    def measured(self, command, environment):
        return measured(command, self.arguments.timeout, environment)

    def report(self, workload, table, taken, commands):
        """Compares the outputs of the last turn and adds the medians."""
        folders = [f"{engine}={commands[engine][1]}" for engine in taken]
        checked = subprocess.run([sys.executable, HERE / "check.py", workload, *folders], capture_output=True, text=True)
        if checked.returncode != 0:
            sys.exit(f"the outputs of {workload} cannot be compared:\n{checked.stderr}")
        checked = json.loads(checked.stdout)
        for engine, text in checked["differences"].items():
            self.failed(f"{workload}: the output of {engine} {text}")
        for engine, runs in taken.items():
            wrote = checked["engines"].get(engine)
            if wrote is None or engine in checked["differences"]:
                table.absent.append((engine, "wrong output"))
            else:
                table.lines.append((engine, *(statistics.median(run[what] for run in runs) for what in ("seconds", "cpu", "mb")), wrote))
        rows = {facts["rows"] for facts in checked["engines"].values()}
        print(f"  {workload}: {', '.join(f'{n:,}' for n in rows)} rows from every engine, compared", flush=True)


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


CASES = {f"jobs-{workload}": workload for workload in TITLES}
