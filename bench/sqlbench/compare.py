"""Whether two engines gave the same rows: in any order, numbers within a tolerance, text and times exactly."""

import csv
import io
import re

FRACTION = re.compile(r"^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?(?: UTC|Z|\+00:00)?$")


def value(text):
    """A cell as something that can be compared."""
    if text in ("", "None", "NULL", "null", "nan", "NaN"):
        return None
    try:
        return float(text)
    except ValueError:
        pass
    if found := FRACTION.match(text):
        day, time, fraction = found.groups()
        fraction = f".{fraction}" if fraction else ""
        return day if time == "00:00:00" and not fraction else f"{day} {time}{fraction}"
    return {"True": "true", "False": "false"}.get(text, text)


def rows(text, header):
    parsed = [[value(cell) for cell in row] for row in csv.reader(io.StringIO(text)) if row]
    return parsed[1:] if header else parsed


def order(row):
    """Rows are paired by their exact values first, by numbers cut to five digits next."""
    exact = [str(cell) for cell in row if not isinstance(cell, float)]
    return exact, [float(f"{cell:.4e}") for cell in row if isinstance(cell, float)]


def difference(ours, theirs, tolerance=1e-6, loose=()):
    """The first difference between two lists of rows, or nothing. Columns in `loose` may be 5% apart."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows beside {len(theirs)}"
    keep = [n for n in range(len(ours[0]) if ours else 0) if n not in loose]
    ours, theirs = (sorted(side, key=lambda row: order([row[n] for n in keep])) for side in (ours, theirs))
    for left, right in zip(ours, theirs):
        if len(left) != len(right):
            return f"{len(left)} columns beside {len(right)}"
        for n, (a, b) in enumerate(zip(left, right)):
            if isinstance(a, float) and isinstance(b, float):
                allowed = (0.05 if n in loose else tolerance) * max(1.0, abs(a), abs(b))
                same = abs(a - b) <= allowed
            else:
                same = a == b
            if not same:
                return f"column {n + 1}: {left} beside {right}"
    return None
