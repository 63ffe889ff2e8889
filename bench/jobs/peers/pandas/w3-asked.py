"""Asked of the camera records: how many, and their mean speed, for each camera and hour."""

import sys

import pandas as pd

source, target = sys.argv[1:]
frame = pd.read_parquet(source, columns=["uniqueid", "originalrecordtimestamp", "speed"])
grouped = frame.groupby(["uniqueid", frame["originalrecordtimestamp"].dt.floor("h")])["speed"]
grouped.agg(n="count", average="mean").to_csv(target)
