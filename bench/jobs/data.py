"""The input of the jobs, made by the product's own generator: 10 to 15 million rows each at scale 1."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
METRICS = ["cpu", "memory", "latency", "requests", "errors", "threads", "queue", "disk", "network", "sessions"]
COMPONENTS = [f"service-{n:02}" for n in range(20)]
DAY = 86_400_000
# Millions of rows at scale 1.
MILLIONS = {"w1": 10, "w2": 15, "w3": 10, "w4": 10, "w4gz": 10, "w5": 12, "partitions": 10}
# How many times larger than its limit of memory the input of `beyond` is, and about how long a row of it.
BEYOND = 3
ROW_BYTES = 90
# The access logs last two days; the report is of the second.
RANGE = ("2026-03-03T00:00:00+00:00", "2026-03-04T00:00:00+00:00")


def windowed(scale):
    shape = {"unit": "percent", "averageFrom": 10, "averageTo": 60, "minDiff": 1, "maxDiff": 8}
    return {
        "@type": "windowed-metrics", "numberOfIterations": max(1, int(50_000 * scale)), "outputFilePath": "out",
        "timer": {"@type": "synthetic", "startTime": "2026-03-02T00:00:00Z", "stepMillis": 5000},
        "metrics": {c: {m: shape for m in METRICS} for c in COMPONENTS},
    }


def plain(scale):
    shape = {"unit": "percent", "minValue": 0, "maxValue": 100}
    return {
        "@type": "plain-metrics", "numberOfIterations": max(1, int(75_000 * scale)), "outputFilePath": "out",
        "timer": {"@type": "synthetic", "startTime": "2026-03-02T00:00:00Z", "stepMillis": 1000, "jitterMillis": 5000},
        "metrics": {c: {m: shape for m in METRICS} for c in COMPONENTS},
    }


def anpr(scale):
    rows = max(1, int(10_000_000 * scale))
    # Seventy hours of arrivals and up to two of delay: 72 partitions, whatever the scale.
    return {
        "@type": "anpr-records", "numberOfIterations": rows, "outputDirectoryPath": "out",
        "timer": {"@type": "synthetic", "startTime": "2020-06-03T02:00:00Z", "stepMillis": max(1, 252_000_000 // rows)},
        "networkLagMinMillis": 20, "networkLagMaxMillis": 2000, "lateShare": 0.05, "lateMaxMillis": 7_200_000,
    }


def access_logs(scale, gzip):
    task = json.loads((ROOT / "examples/monitoring/tasks/access-logs.json").read_text())
    iterations = max(2, int(10_000_000 * scale * task["numberOfIterations"] / 150_040))
    step = 2 * DAY // iterations
    return {
        **task, "numberOfIterations": iterations, "format": "nginx", "gzip": gzip,
        "timer": {"@type": "synthetic", "startTime": "2026-03-02T00:00:00Z", "stepMillis": step, "jitterMillis": step},
    }


def taxi(scale):
    trips = max(1, int(12_000_000 * scale))
    return {
        "@type": "taxi-trips", "month": "2021-03", "numberOfTrips": trips, "outputDirectoryPath": "out",
        "numberOfFiles": max(1, min(8, trips // 8192)),
    }


def many_windowed(scale):
    """Windowed metrics of 10,000 series: each of ten files goes to a thousand partitions, row by row."""
    task = windowed(scale)
    shape = task["metrics"][COMPONENTS[0]][METRICS[0]]
    metrics = {f"metric-{n:04}": shape for n in range(1000)}
    return {**task, "numberOfIterations": max(1, int(1000 * scale)), "metrics": {c: metrics for c in COMPONENTS[:10]}}


def limit_mb(scale):
    """The memory, in MiB, that an engine may take for the input of `beyond`."""
    return max(192, int(512 * scale))


TASKS = {"w1": windowed, "partitions": many_windowed,
         "beyond": lambda scale: windowed(BEYOND * limit_mb(scale) * 1_048_576 / ROW_BYTES / 10_000_000),
         "w2": plain, "w3": anpr, "w4": lambda scale: access_logs(scale, False),
         "w4gz": lambda scale: access_logs(scale, True), "w5": taxi}


def make(glulam, name, folder, scale):
    """Makes the input of a workload in a folder."""
    task = Path(folder).parent / f"{name}.task.json"
    task.parent.mkdir(parents=True, exist_ok=True)
    task.write_text(json.dumps({**TASKS[name](scale), "randomSeed": 1}))
    subprocess.run([glulam, "gen", task, "--output", f"{folder}/", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    task.unlink()
