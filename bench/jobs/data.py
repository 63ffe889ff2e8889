"""The input of the jobs, made by the product's own generator: 10 to 15 million rows each at scale 1."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
METRICS = ["cpu", "memory", "latency", "requests", "errors", "threads", "queue", "disk", "network", "sessions"]
COMPONENTS = [f"service-{n:02}" for n in range(20)]
DAY = 86_400_000
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


TASKS = {"w1": windowed, "w2": plain, "w3": anpr, "w4": lambda scale: access_logs(scale, False),
         "w4gz": lambda scale: access_logs(scale, True), "w5": taxi}


def make(glulam, name, folder, scale):
    """Makes the input of a workload in a folder."""
    task = Path(folder).parent / f"{name}.task.json"
    task.parent.mkdir(parents=True, exist_ok=True)
    task.write_text(json.dumps({**TASKS[name](scale), "randomSeed": 1}))
    subprocess.run([glulam, "gen", task, "--output", f"{folder}/", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    task.unlink()
