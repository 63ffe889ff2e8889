#!/usr/bin/env bash
# The batch half of the monitoring practice, from nothing to answers: generate a week of metrics and access logs into
# buckets, crawl them, run three jobs over them, crawl what these wrote, ask in SQL, and sum up. Takes the binary from
# GLULAM or from target/release.
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

say "1. A week of windowed metrics, 6 services x 4 metrics; single measurements; 150,000 lines of access logs"
run gen tasks/windowed-metrics.json --output s3://metrics-csv/
run gen ../metrics-plain/tasks/plain-metrics.json --output s3://single-csv/
run gen tasks/plain-metrics.json --output s3://live-json/
run gen tasks/access-logs.json --output s3://access-logs/

say "2. What is in these files? A crawler finds out"
run crawl s3://metrics-csv/ s3://single-csv/ s3://live-json/ s3://access-logs/ --database monitoring --name monitoring --save
echo
run describe monitoring.metrics_csv
echo
run describe monitoring.access_logs

say "3. Three jobs: CSV becomes Parquet by metric and service; measurements become windows; logs become a traffic report"
run job run ../metrics-windowed/job.yaml --input s3://metrics-csv/ --output s3://curated/windowed/
run job run ../metrics-plain/job.yaml --input s3://single-csv/ --output s3://curated/windows/
run job run ../traffic-report/job.yaml --input s3://access-logs/ --output s3://curated/traffic/ \
    --from 2026-03-02T00:00:00 --to 2026-03-09T00:00:00

say "4. What the jobs wrote is data like any other"
run crawl s3://curated/ --database curated --name curated --save
run tables
# A lake is plain files: dashboards are put into it as such.
mkdir -p "$GLULAM_DATA/buckets/dashboards"
cp dashboards/*.json "$GLULAM_DATA/buckets/dashboards/"

ask() {
    printf '\n\033[1m%s\033[0m\n' "$1"
    "$glulam" sql --database curated --file "queries/$2"
}
say "5. Answers"
ask "Averages per metric and hour" 1-averages.sql
ask "Top talkers, from the logs themselves" 2-top-talkers.sql
ask "Error rate per service" 3-error-rate.sql
ask "The largest jumps from one hour to the next (a window function)" 4-jumps.sql
ask "The latest windows of five minutes" 5-windows.sql
ask "The busiest edges of the graph of calls" 6-calls.sql
ask "One metric of one service, from the CSV and from the Parquet" 7-from-csv.sql
ask "" 8-from-parquet.sql
"$glulam" runs --kind query --json | python3 -c '
import json, sys
parquet, csv = [run["counters"]["bytes_scanned"] for run in json.load(sys.stdin)[:2]]
print(f"read {csv:,} bytes of CSV, {parquet:,} bytes of Parquet: {100 - 100 * parquet / csv:.1f} % saved")'

say "6. What ran, and what it did"
"$glulam" runs --limit 30 --json | python3 summary.py
printf '\nThe lake is plain files: %s/buckets\n' "$GLULAM_DATA"
printf 'The console shows it all, with two dashboards:\n  %s up --data %s\n  http://127.0.0.1:4567/dashboards\n' "$glulam" "$GLULAM_DATA"
