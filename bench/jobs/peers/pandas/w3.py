"""Camera records: from folders of arrival to folders of the event's own hour."""

import glob
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

source, target = sys.argv[1:]
files = sorted(glob.glob(f"{source}/**/*.parquet", recursive=True))
frame = pd.concat([pq.ParquetFile(path).read().to_pandas() for path in files], ignore_index=True)
event = frame["originalrecordtimestamp"].dt
for part in ("year", "month", "day", "hour"):
    frame[part] = getattr(event, part)
table = pa.Table.from_pandas(frame, preserve_index=False)
pq.write_to_dataset(table, target, partition_cols=["year", "month", "day", "hour"], compression="zstd")
