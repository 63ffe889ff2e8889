"""Measures the example jobs beside other engines; `cases.py` says how, `../run.py` runs it."""
