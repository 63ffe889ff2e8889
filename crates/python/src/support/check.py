"""Finds what keeps a script from starting: syntax errors, and imports of what is not there.

    check.py REQUEST [KNOWN MODULES]

REQUEST is a file with a JSON list of {name, text, folders}; written is one
of {name, message, line, column, end, module}. Nothing of the
scripts is carried out.
"""

import ast
import importlib.machinery
import importlib.util
import json
import sys

KNOWN = set(sys.argv[2:])


def is_there(name, folders):
    top = name.partition(".")[0]
    if top in sys.builtin_module_names or top in sys.stdlib_module_names or top in KNOWN:
        return True
    if importlib.machinery.PathFinder.find_spec(top, folders) is not None:
        return True
    try:
        if importlib.util.find_spec(top) is None:
            return False
        # Ours is small: what it lacks is found here.
        return top != "awsglue" or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


class Imports(ast.NodeVisitor):
    """Gathers imports, but those whose failure the script expects."""

    def __init__(self):
        self.found = []

    def visit_Import(self, node):
        self.found += [(alias.name, node) for alias in node.names]

    def visit_ImportFrom(self, node):
        if node.level == 0 and node.module:
            self.found.append((node.module, node))

    def visit_Try(self, node):
        caught = [name for handler in node.handlers for name in names_of(handler.type)]
        if any(name in ("ImportError", "ModuleNotFoundError", "Exception", "BaseException", "") for name in caught):
            for part in [*node.handlers, *node.orelse, *node.finalbody]:
                self.visit(part)
        else:
            self.generic_visit(node)

    def visit_If(self, node):
        if "TYPE_CHECKING" in ast.dump(node.test):
            for part in node.orelse:
                self.visit(part)
        else:
            self.generic_visit(node)


def names_of(kind):
    if kind is None:
        return [""]
    parts = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return [part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "?") for part in parts]


def check(name, text, folders):
    try:
        tree = ast.parse(text, name)
    except SyntaxError as error:
        column = max((error.offset or 1) - 1, 0)
        end = error.end_offset - 1 if error.end_offset and error.end_lineno == error.lineno else column + 1
        yield {"name": name, "message": error.msg, "line": error.lineno or 1, "column": column, "end": end}
        return
    except (ValueError, RecursionError, MemoryError) as error:
        yield {"name": name, "message": str(error) or "the script is nested too deeply", "line": 1, "column": 0, "end": 1}
        return
    imports = Imports()
    imports.visit(tree)
    lines = text.splitlines()
    seen = set()
    for module, node in imports.found:
        if module in seen or is_there(module, folders):
            continue
        seen.add(module)
        line = lines[node.lineno - 1] if node.lineno <= len(lines) else ""
        column = max(line.find(module), 0)
        yield {"name": name, "module": module, "line": node.lineno, "column": column, "end": column + len(module)}


def main():
    findings = []
    with open(sys.argv[1], encoding="utf-8") as request:
        scripts = json.load(request)
    for script in scripts:
        findings += check(script["name"], script["text"], script["folders"])
    json.dump(findings, sys.stdout)


main()
