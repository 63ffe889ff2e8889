"""Asked of the calls: the ten pairs of services with most of them."""

import sys

import pandas as pd

source, target = sys.argv[1:]
frame = pd.read_json(f"{source}/report.json", lines=True)[["source", "target", "totalRequests"]]
frame.sort_values(["totalRequests", "source", "target"], ascending=[False, True, True]).head(10).to_csv(target, index=False)
