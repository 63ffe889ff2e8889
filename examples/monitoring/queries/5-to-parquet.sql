-- The same rows as Parquet, a folder per metric and service: a query then reads only what it needs.
DROP TABLE IF EXISTS metrics;
CREATE TABLE metrics WITH (format = 'PARQUET', partitioned_by = ARRAY['metric', 'component']) AS
SELECT CAST(from_iso8601_timestamp(fromtimestamp) AS timestamp) AS from_time,
       CAST(from_iso8601_timestamp(totimestamp) AS timestamp) AS to_time,
       minvalue AS min_value, maxvalue AS max_value, unit,
       metricname AS metric, componentname AS component
FROM metrics_csv;
