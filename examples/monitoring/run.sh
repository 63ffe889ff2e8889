#!/usr/bin/env bash
# The monitoring practice, from nothing to a described lake: generate a week of metrics and access logs into buckets,
# crawl them, show the tables and what was inferred. Takes the binary from GLULAM or from target/release.
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

say "What ran"
run runs
printf '\nThe lake is plain files: %s/buckets\n' "$GLULAM_DATA"
