#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: Debian packages, the Rust tools, the Python
# environment .venv, the sample data below node_modules and the console's packages below ui/node_modules. Says what it installs, never asks, and is quiet and quick
# when all is there. `setup.sh bench` adds what the benchmarks compare with.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$HOME/.cargo/bin:$PATH"

NEXTEST=0.9.143
SAMPLES=vega-datasets@3.2.1 # the npm package has Parquet, Arrow and TSV, which its namesake on PyPI lacks

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- Debian packages -------------------------------------------------------------------------------------------------

missing_packages() {
    has cc || echo gcc libc6-dev
    has mold || echo mold
    has curl || echo curl
    has setpriv || echo util-linux
    has npm || echo npm
    has chromium || echo chromium fonts-liberation
    has psql && compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql postgresql-client
    # The PostgreSQL door is tested with Java's driver, too, by a program that the JDK compiles as it starts.
    [ -e /usr/share/java/postgresql.jar ] || echo libpostgresql-jdbc-java
    has javac || echo default-jdk-headless
    # A virtual environment needs ensurepip, which Debian ships apart.
    [ -x .venv/bin/python ] || python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

install_packages() {
    local packages
    packages=$(missing_packages | tr '\n' ' ')
    [ -n "$packages" ] || return 0
    has apt-get || fail "this machine lacks: $packages(Debian's names); there is no apt-get here, install them by hand"
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null ||
        fail "this machine lacks packages and sudo would ask for a password; run: sudo apt-get install $packages"
    say "Debian packages: $packages"
    local log
    log=$(mktemp)
    # The package lists may be missing or old: fetch them only when a first try fails.
    # shellcheck disable=SC2086
    apt_install $packages >"$log" 2>&1 || {
        as_root apt-get update -qq </dev/null >>"$log" 2>&1
        apt_install $packages >>"$log" 2>&1
    } || { tail -20 "$log" >&2; fail "apt-get could not install: $packages"; }
    rm -f "$log"
}

# --- Rust tools ------------------------------------------------------------------------------------------------------

install_rust_tools() {
    has cargo || fail "no cargo on this machine; install Rust with rustup (https://rustup.rs)"
    local part missing=()
    for part in clippy fmt; do
        cargo "$part" --version >/dev/null 2>&1 || missing+=("${part/#fmt/rustfmt}")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        has rustup || fail "this Rust toolchain lacks ${missing[*]}; install them as it was installed"
        say "Rust components: ${missing[*]}"
        rustup component add "${missing[@]}"
    fi
    if ! has cargo-nextest; then
        say "cargo-nextest $NEXTEST, built from crates.io (some minutes, once)"
        cargo install --quiet --locked "cargo-nextest@$NEXTEST"
    fi
}

# --- Python and sample data ------------------------------------------------------------------------------------------

install_python() {
    has python3 || fail "no python3 on this machine; install it (Debian: apt-get install python3)"
    if ! .venv/bin/python -c '' 2>/dev/null; then
        say "Python environment .venv"
        rm -rf .venv
        python3 -m venv .venv
    fi
    say "Python packages of $*"
    local file arguments=()
    for file in "$@"; do arguments+=(-r "$file"); done
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "${arguments[@]}"
}

install_sail_client() {
    say "Python packages of requirements-bench-sail.txt"
    rm -rf .venv-sail
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv-sail \
        -r requirements-bench-sail.txt
}

install_flink() {
    say "Flink's jars of requirements-bench-flink.txt"
    rm -rf .venv-flink
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv-flink \
        -r requirements-bench-flink.txt
}

install_dbt() {
    say "Python packages of requirements-dbt.txt"
    rm -rf .venv-dbt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv-dbt \
        -r requirements-dbt.txt
}

install_ui() {
    # The newest vite wants node 20.19; older ones than Debian 13's are told here and not in the middle of a build.
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
        fail "building the console needs node 20.19 or newer; this machine has $(node --version)"
    scripts/ui.sh packages
}

install_samples() {
    grep -qs "\"version\": \"${SAMPLES#*@}\"" node_modules/vega-datasets/package.json && return
    say "sample data: $SAMPLES from npm"
    npm install --prefix . --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent "$SAMPLES"
}

# --- all together ----------------------------------------------------------------------------------------------------

is_done() {
    [ -e "$1" ] && [ -x .venv/bin/weed ] && [ -d node_modules/vega-datasets/data ] && [ -d ui/node_modules ] && has cargo-nextest && has psql &&
        [ -z "$(missing_packages)" ]
}

requirements=(requirements.txt)
pinned=("${requirements[@]}" requirements-dbt.txt)
if [ "${1:-}" = bench ]; then
    requirements+=(requirements-bench.txt)
    pinned=("${requirements[@]}" requirements-dbt.txt requirements-bench-sail.txt requirements-bench-flink.txt)
fi

# The stamp's name is what was asked for; the environment of another machine or another list of packages has another.
hash=$(cat scripts/setup.sh ui/package-lock.json "${pinned[@]}" | sha256sum | cut -c1-16)
stamp=.deps/setup-$hash
is_done "$stamp" && exit 0

mkdir -p .deps
exec 9>.deps/lock
flock 9
is_done "$stamp" && exit 0

install_packages
install_rust_tools
install_python "${requirements[@]}"
install_dbt
if [ "${1:-}" = bench ]; then
    install_sail_client
    install_flink
fi
install_samples
install_ui
touch "$stamp"
say "done"
