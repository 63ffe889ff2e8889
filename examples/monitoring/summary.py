"""Sums up runs that `glulam runs --json` lists: what each read and wrote, and how long it took."""

import json
import sys
from datetime import datetime


def size(count):
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000


def main():
    lines, total = [], 0.0
    for run in reversed(json.load(sys.stdin)):
        if not run["ended"]:
            # What runs on: the delivery.
            continue
        counters = run["counters"]
        seconds = (datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["started"])).total_seconds()
        total += seconds
        rows = counters.get("rows_written", counters.get("rows", counters.get("rows_returned", 0)))
        read = counters.get("bytes_read", counters.get("bytes_scanned", 0))
        written = counters.get("bytes_written", counters.get("bytes", 0))
        lines.append((run["kind"], run["name"][:40], f"{rows:,}", size(read), size(written), f"{seconds:.2f}"))
    head = ("what", "name", "rows", "read", "written", "seconds")
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(text.ljust(width) if i < 2 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths))))
    print(f"{len(lines)} runs, {total:.2f} seconds")


main()
