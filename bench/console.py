"""The console in a browser: first paint, the size of its pages, a long result scrolled, a large dashboard refreshed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def measure(glulam, data, runs, scale):
    """The part of the results, as Markdown."""
    subprocess.run([ROOT / "scripts/ui.sh", "packages"], check=True)
    command = ["node", ROOT / "bench/console.mjs", Path(glulam).resolve(), data / "console", str(scale), str(runs)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(f"bench/console.mjs ended with {ended.returncode}")
    found = json.loads(ended.stdout)
    lines = [
        ("first paint on loopback, empty cache", f"{found['first_paint_ms']:,.0f} ms"),
        ("overview drawn, empty cache", f"{found['overview_ms']:,.0f} ms"),
        ("sent for it, compressed", f"{found['first_page_bytes'] / 1e3:,.0f} KB"),
        ("all pages, compressed", f"{found['bundle_bytes'] / 1e3:,.0f} KB, scripts {found['script_bytes'] / 1e3:,.0f} KB"),
        (f"a page of 1,000 of {found['rows']:,} rows, anywhere", f"{found['page_fetch_ms']:,.1f} ms, 99th percentile {found['page_fetch_p99_ms']:,.1f} ms"),
        ("the grid scrolled anywhere until the row is drawn", f"{found['scroll_ms']:,.0f} ms"),
        (f"12 panels over {found['windows']:,} windows of 100 series, opened", f"{found['dashboard_open_ms'] / 1e3:,.2f} s"),
        ("the same, refreshed", f"{found['dashboard_refresh_ms'] / 1e3:,.2f} s"),
        ("refreshed when each series has a new window", f"{found['dashboard_news_ms'] / 1e3:,.2f} s"),
    ]
    table = ["| what | median |", "|---|---|", *(f"| {what} | {value} |" for what, value in lines)]
    return "\n".join(["## The console in a browser", "", *table])
