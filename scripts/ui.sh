#!/usr/bin/env bash
# Builds the console's pages (ui/) into ui/dist, which crates/console embeds, when their sources have changed; installs
# their npm packages first when the lock file has. `ui.sh packages` only does the latter.
set -euo pipefail
cd "$(dirname "$0")/../ui"

say() { printf 'ui: %s\n' "$*"; }

sum() { sha256sum "$@" | sha256sum | cut -c1-16; }
packages=node_modules/.installed-$(sum package.json package-lock.json)
if [ ! -e "$packages" ]; then
    say "npm packages of ui/package-lock.json"
    npm ci --ignore-scripts --no-audit --no-fund --silent
    touch "$packages"
fi
[ "${1:-}" != packages ] || exit 0

mapfile -d '' sources < <(find src public index.html vite.config.ts tsconfig.json package.json package-lock.json \
    -type f ! -name '*.test.ts' ! -name '*.test.tsx' -print0 | LC_ALL=C sort -z)
built=dist/.built-$(sum "${sources[@]}")
if [ ! -e "$built" ]; then
    say "building the console"
    npm run --silent build -- --logLevel warn
    touch "$built"
fi
