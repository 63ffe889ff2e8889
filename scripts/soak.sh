#!/usr/bin/env bash
# The long forms of tests that `make test` runs in short: a server killed at random moments below a producer and an
# application, and the comparisons of applications with plain computations over many more cases. The numbers:
#   GLULAM_SOAK_EVENTS  events that the producer puts (a million)
#   GLULAM_SOAK_KILLS   kills (30)
#   GLULAM_SOAK_SEED    which moments, and which cases (another one each time; what fails names it)
#   PROPTEST_CASES      cases of each comparison (200)
set -euo pipefail
cd "$(dirname "$0")/.."

export GLULAM_SOAK_EVENTS=${GLULAM_SOAK_EVENTS:-1000000}
export GLULAM_SOAK_KILLS=${GLULAM_SOAK_KILLS:-30}
export GLULAM_SOAK_SEED=${GLULAM_SOAK_SEED:-$((RANDOM * 32768 + RANDOM))}
export PROPTEST_CASES=${PROPTEST_CASES:-200}
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-$GLULAM_SOAK_SEED}

again="make soak GLULAM_SOAK_SEED=$GLULAM_SOAK_SEED PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED"
again+=" GLULAM_SOAK_EVENTS=$GLULAM_SOAK_EVENTS GLULAM_SOAK_KILLS=$GLULAM_SOAK_KILLS PROPTEST_CASES=$PROPTEST_CASES"
trap '[ $? = 0 ] || printf "\nfailed; the same again: %s\n" "$again"' EXIT

step() {
    local name=$1 filter=$2 start=$SECONDS
    printf '\n== %s\n' "$name"
    cargo nextest run --locked --workspace --cargo-quiet --profile soak --no-capture -E "$filter"
    printf '== %s: %d s\n' "$name" $((SECONDS - start))
}

printf 'seed %s\n' "$GLULAM_SOAK_SEED"
step "applications beside plain computations, $PROPTEST_CASES cases each" \
    'package(apps) and test(/what_a_batch_computes/)'
step "$GLULAM_SOAK_EVENTS events, $GLULAM_SOAK_KILLS kills" 'package(glulam) and test(soak::)'
