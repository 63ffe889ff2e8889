# The commands of this project. `make` alone lists them; each installs what it needs (scripts/setup.sh).
SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
.DEFAULT_GOAL := help
.PHONY: help setup build ui test soak demo bench deny fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## installs what building and testing need and says what; the others call it
	@scripts/setup.sh

build: setup ## builds the console's pages and the release binary, target/release/glulam
	@scripts/ui.sh
	cargo build --release --locked -p glulam

ui: setup ## builds the console's pages only, ui/dist; `npm run dev` in ui/ serves them anew at each change
	@scripts/ui.sh

test: setup ## everything that CI checks: formatting, licences, lints, tests against real servers
	@scripts/test.sh

soak: setup ## the kill and property tests in their long form: a million events, 30 kills (scripts/soak.sh)
	@scripts/soak.sh

demo: build ## generates a week of monitoring data, crawls it, shows the tables
	@examples/monitoring/run.sh

bench: build ## measures generator, crawl, listing, a million partitions, SQL and jobs beside peers (bench/README.md)
	@scripts/setup.sh bench
	.venv/bin/python bench/run.py --write

deny: setup ## the full licence and source check with cargo-deny, which it installs if missing (minutes)
	@command -v cargo-deny >/dev/null || { echo 'setup: cargo-deny, built from crates.io (some minutes, once)'; \
		cargo install --quiet --locked cargo-deny@0.20.2; }
	cargo deny --offline check licenses bans sources

fmt: ## formats all Rust code
	cargo fmt --all

clean: ## removes all that was built or generated here, but not what setup installed
	cargo clean
	rm -rf ui/dist/assets ui/dist/*.* ui/dist/.built-* ui/tests/browser/shots
	rm -rf glulam-data demo-data bench/data bench/out
