#!/usr/bin/env bash
# The monitoring practice, from nothing to answers: generate a week of metrics and access logs into buckets, crawl them,
# run three jobs over them, crawl what these wrote; then half an hour of measurements as a stream, sped up: windows and
# deliveries into the same lake; ask both in SQL, and sum up. In a terminal the console stays up until Ctrl-C. Takes the
# binary from GLULAM or from target/release.
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

say "5. The live half: services report each measurement; half an hour of them in 20 seconds"
mkdir -p "$GLULAM_DATA/buckets/measurements"
log=$GLULAM_DATA/demo-up.log
port=$(python3 -c 'import socket; s = socket.socket(); print(0 if s.connect_ex(("127.0.0.1", 4567)) == 0 else 4567)')
"$glulam" up --aws 127.0.0.1:0 --console "127.0.0.1:$port" --pg off >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
until grep -q '^ready ' "$log"; do
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done
place() { sed -n "s/^ready .*$1=\([^ ]*\).*/\1/p" "$log"; }
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=glulam AWS_SECRET_ACCESS_KEY=glulam AWS_DEFAULT_REGION=eu-central-1 NO_PROXY='*'
AWS_ENDPOINT_URL=$(place aws)
"$glulam" stream list | grep -q '^metrics-stream' || run stream create metrics-stream --shards 1
run sql "CREATE EXTERNAL TABLE IF NOT EXISTS curated.measurements (componentname string, metricname string, unit string,
    value double, publicationtimestamp timestamp) STORED AS PARQUET LOCATION 's3://measurements/data/'"
before=$("$glulam" sql --format csv "SELECT count(*) FROM curated.measurements" | tail -1 | tr -d '"')
"$root/.venv/bin/python" live.py make
run stream run live/windows.sql --detach
run gen live/metrics-stream.json --speed 90
run stream stop windows --drain
"$root/.venv/bin/python" live.py wait $((before + 2160))

ask() {
    printf '\n\033[1m%s\033[0m\n' "$1"
    "$glulam" sql --database curated --file "queries/$2"
}
say "6. Answers"
ask "Averages per metric and hour" 1-averages.sql
ask "Top talkers, from the logs themselves" 2-top-talkers.sql
ask "Error rate per service" 3-error-rate.sql
ask "The largest jumps from one hour to the next (a window function)" 4-jumps.sql
ask "The latest windows of five minutes" 5-windows.sql
ask "The busiest edges of the graph of calls" 6-calls.sql
ask "One metric of one service, from the CSV" 7-from-csv.sql
ask "The same CSV as Parquet, partitioned by metric and service (CREATE TABLE AS)" 8-to-parquet.sql
ask "The same question to the Parquet" 9-from-parquet.sql
"$glulam" runs --kind query --json | python3 -c '
import json, sys
parquet, _, csv = [run["counters"]["bytes_scanned"] for run in json.load(sys.stdin)[:3]]
print(f"read {csv:,} bytes of CSV, {parquet:,} bytes of Parquet: {100 - 100 * parquet / csv:.1f} % saved")'

ask "Batch and live, from one table" 10-batch-and-live.sql

say "7. What ran, and what it did"
"$glulam" runs --limit 30 --json | python3 summary.py
printf '\nThe lake is plain files: %s/buckets\n' "$GLULAM_DATA"
printf 'The console shows it all, with two dashboards: %s/dashboards\n' "$(place console)"
if [ -t 1 ]; then
    echo 'It stays up until Ctrl-C.'
    wait "$server" || true
else
    printf 'To open it: %s up --data %s\n' "$glulam" "$GLULAM_DATA"
fi
