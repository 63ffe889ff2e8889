"""What is measured in Polars, which has no SQL of this kind: lazy frames."""


def w6a(job):
    import polars as pl
    frame = pl.scan_parquet(f"{job['tables']['metrics']}/**/*.parquet", hive_partitioning=True)
    frame = frame.filter((pl.col("metric") == job["metric"]) & (pl.col("component") == job["component"]))
    hour = pl.col("started").dt.truncate("1h").alias("hour")
    return frame.group_by(hour).agg(pl.col("maximum").mean(), pl.len()).sort("hour").collect().rows()


def w6b(job):
    import polars as pl
    frame = pl.scan_parquet(f"{job['tables']['metrics']}/**/*.parquet", hive_partitioning=True)
    maximum = pl.col("maximum").quantile(0.95, "nearest").alias("p95")
    grouped = frame.group_by("metric", "component").agg(pl.len(), pl.col("maximum").mean(), maximum)
    return grouped.sort("metric", "component").collect(engine="streaming").rows()


def w6c(job):
    import polars as pl
    frame = pl.scan_parquet(f"{job['tables']['metrics']}/**/*.parquet", hive_partitioning=True)
    columns = ["started", "metric", "component", "maximum"]
    best = frame.select(columns).top_k(20, by=["maximum", "started", "metric", "component"], reverse=[False, True, True, True])
    return best.collect(engine="streaming").rows()
