CREATE TABLE IF NOT EXISTS curated.windows_by_metric
WITH (format = 'PARQUET', partitioned_by = ARRAY['metricname', 'componentname']) AS
SELECT CAST(from_iso8601_timestamp(fromtimestamp) AS timestamp) AS fromtimestamp, minvalue, maxvalue, unit,
  metricname, componentname
FROM monitoring.metrics_csv
