#!/usr/bin/env bash
# Runs example jobs from nothing to checked numbers: `examples/run.sh metrics-windowed` (or several names; all without
# one). Takes the binary from GLULAM or builds target/release/glulam; the data lies in demo-data/NAME, made anew.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
glulam=${GLULAM:-$root/target/release/glulam}
if [ ! -x "$glulam" ]; then make -C "$root" build; fi
"$root/scripts/setup.sh" >/dev/null
python=$root/.venv/bin/python

run() {
    printf '$ glulam %s\n' "$*"
    "$glulam" "$@"
}

# What to generate into which bucket, how often and how the job runs, and what the check compares.
example() {
    case $1 in
    metrics-windowed)
        run gen tasks/windowed-metrics.json --output s3://legacy-metrics/
        run job run job.yaml
        check legacy-metrics metrics-lake/windowed
        ;;
    metrics-plain)
        run gen tasks/plain-metrics.json --output s3://plain-metrics/
        run job run job.yaml
        check plain-metrics metrics-lake/plain
        ;;
    anpr-event-time)
        run gen tasks/first.json --output s3://anpr-arrivals/
        run job run job.yaml
        run gen tasks/later.json --output s3://anpr-arrivals/
        run job run job.yaml
        check anpr-arrivals anpr-lake/by-event
        ;;
    traffic-report)
        run gen tasks/service-logs.json --output s3://access-logs/service/
        run gen tasks/nginx-logs.json --output s3://access-logs/nginx/
        run gen tasks/windowed-metrics.json --output s3://legacy-metrics/
        run job run with-metrics.yaml
        check access-logs traffic-report --metrics "$GLULAM_DATA/buckets/legacy-metrics"
        ;;
    taxi-cleaning)
        run gen tasks/taxi-trips.json --output s3://taxi-raw/
        run job run job.yaml
        check taxi-raw taxi-clean
        ;;
    *)
        echo "there is no example job \`$1\`; there are: $all" >&2
        exit 2
        ;;
    esac
}

check() {
    local input=$1 output=$2
    shift 2
    printf '$ verify.py %s %s\n' "$input" "$output"
    "$python" verify.py "$GLULAM_DATA/buckets/$input" "$GLULAM_DATA/buckets/$output" "$@"
}

all="metrics-windowed metrics-plain anpr-event-time traffic-report taxi-cleaning"
for name in ${@:-$all}; do
    printf '\n\033[1m%s\033[0m\n' "$name"
    export GLULAM_DATA=$root/demo-data/$name
    rm -rf "$GLULAM_DATA"
    cd "$here/$name" 2>/dev/null || cd "$here"
    example "$name"
done
