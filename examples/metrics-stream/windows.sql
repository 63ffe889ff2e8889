-- Five-minute windows of the services' metrics, as Parquet in the same table that the batch half feeds.
-- glulam stream run windows.sql
SET 'execution.checkpointing.interval' = '10 s';
SET 'table.exec.source.idle-timeout' = '30 s';

CREATE TABLE metrics_stream (
  componentName STRING,
  metricName STRING,
  unit STRING,
  `value` DOUBLE,
  publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kinesis',
  'stream' = 'metrics-stream',
  'aws.region' = 'eu-central-1',
  'scan.stream.initpos' = 'TRIM_HORIZON',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TABLE windowed_metrics (
  unit STRING,
  minValue DOUBLE,
  maxValue DOUBLE,
  fromTimestamp TIMESTAMP(3),
  toTimestamp TIMESTAMP(3),
  metricName STRING,
  componentName STRING
) PARTITIONED BY (metricName, componentName) WITH (
  'connector' = 'filesystem',
  'path' = 's3://windowed-metrics/',
  'format' = 'parquet'
);

INSERT INTO windowed_metrics
SELECT
  unit,
  MIN(`value`) AS minValue,
  MAX(`value`) AS maxValue,
  window_start AS fromTimestamp,
  window_end AS toTimestamp,
  metricName,
  componentName
FROM TABLE(TUMBLE(TABLE metrics_stream, DESCRIPTOR(publicationTimestamp), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, componentName, metricName, unit;
