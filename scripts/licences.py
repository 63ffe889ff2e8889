#!/usr/bin/env python3
"""Checks that every crate comes from crates.io under a licence that deny.toml allows.

A stand-in for `cargo deny check licenses sources`, which takes minutes to install: same list, same answer, at once.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tokens(expression):
    # Old manifests write "MIT/Apache-2.0" for OR.
    return re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))


def is_allowed(expression, allowed):
    """Evaluates an SPDX expression: OR binds weaker than AND, WITH belongs to its licence."""
    rest = tokens(expression)

    def either():
        result = both()
        while rest and rest[0] == "OR":
            rest.pop(0)
            right = both()
            result = result or right
        return result

    def both():
        result = one()
        while rest and rest[0] == "AND":
            rest.pop(0)
            right = one()
            result = result and right
        return result

    def one():
        word = rest.pop(0)
        if word == "(":
            result = either()
            rest.pop(0)
            return result
        if rest and rest[0] == "WITH":
            word = f"{word} {rest.pop(0)} {rest.pop(0)}"
        return word in allowed

    result = either()
    if rest:
        raise ValueError(f"cannot read the licence expression {expression!r}")
    return result


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    allowed = set(rules["licenses"]["allow"])
    exceptions = {e["crate"]: set(e["allow"]) for e in rules["licenses"].get("exceptions", [])}
    registries = set(rules["sources"]["allow-registry"])
    output = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    packages = json.loads(output)["packages"]
    complaints = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        licence, source = package["license"], package["source"]
        if not licence:
            complaints.append(f"{name} names no licence")
        elif not is_allowed(licence, allowed | exceptions.get(package["name"], set())):
            complaints.append(f"{name} is licensed under {licence}, which deny.toml does not allow")
        if source and source.removeprefix("registry+") not in registries:
            complaints.append(f"{name} comes from {source}, which deny.toml does not allow")
    for complaint in complaints:
        print(f"error: {complaint}", file=sys.stderr)
    print(f"{len(packages)} crates, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
