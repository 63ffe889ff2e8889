#!/usr/bin/env bash
# All that has to hold before a change lands, quickest first: formatting, licences, lints, tests.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=default
[ -z "${CI:-}" ] || profile=ci

step() {
    local name=$1 start=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@"
    printf '== %s: %d s\n' "$name" $((SECONDS - start))
}

step "formatting (make fmt repairs it)" cargo fmt --all --check
step "licences and sources of crates" python3 scripts/licences.py
step "pages of the console" scripts/ui.sh
step "tests of the pages" npm --prefix ui run --silent test
step "lints" cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
step "build of the tests" cargo nextest run --locked --workspace --no-run --cargo-quiet
step "tests" cargo nextest run --locked --workspace --cargo-quiet --profile "$profile"
step "the console in a browser" npm --prefix ui run --silent browser
