#!/usr/bin/env bash
# The monitoring practice, from nothing to answers: generate a week of metrics and access logs into buckets, crawl them,
# show the tables and what was inferred, and ask five questions in SQL. Takes the binary from GLULAM or from
# target/release.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
glulam=${GLULAM:-$root/target/release/glulam}
export GLULAM_DATA=${GLULAM_DATA:-$root/demo-data}
cd "$here"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
    printf '$ glulam %s\n' "$*"
    "$glulam" "$@"
}

say "A week of windowed metrics, 6 services x 4 metrics, and 150,000 lines of access logs"
run gen tasks/windowed-metrics.json --output s3://metrics-csv/
run gen tasks/access-logs.json --output s3://access-logs/
run gen tasks/plain-metrics.json --output s3://plain-metrics/

say "What is in these files? A crawler finds out"
run crawl s3://metrics-csv/ s3://access-logs/ s3://plain-metrics/ --database monitoring --name monitoring --save

say "The catalog"
run tables
echo
run describe monitoring.metrics_csv
echo
run describe monitoring.access_logs

ask() {
    printf '\n\033[1m%s\033[0m\n' "$1"
    "$glulam" sql --database monitoring --file "queries/$2"
}
ask "Averages per metric and hour" 1-averages.sql
ask "Top talkers" 2-top-talkers.sql
ask "Error rate per service" 3-error-rate.sql
ask "The largest jumps from one hour to the next (a window function)" 4-jumps.sql
ask "The metrics as partitioned Parquet (CTAS)" 5-to-parquet.sql
ask "One metric of one service, from the CSV and from the Parquet" 6-from-csv.sql
ask "" 7-from-parquet.sql
"$glulam" runs --kind query --json | python3 -c '
import json, sys
parquet, csv = [run["counters"]["bytes_scanned"] for run in json.load(sys.stdin)[:2]]
print(f"read {csv:,} bytes of CSV, {parquet:,} bytes of Parquet: {100 - 100 * parquet / csv:.1f} % saved")'

say "What ran"
run runs --limit 12
printf '\nThe lake is plain files: %s/buckets\n' "$GLULAM_DATA"
