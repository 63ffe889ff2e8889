-- Five-minute windows of what the services report, into the table that the batch half feeds.
-- glulam stream run windows.sql
SET 'execution.checkpointing.interval' = '1 s';
SET 'table.exec.source.idle-timeout' = '5 s';

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

CREATE TABLE windowed (
  fromTimestamp TIMESTAMP(3),
  toTimestamp TIMESTAMP(3),
  minValue DOUBLE,
  maxValue DOUBLE,
  unit STRING,
  metricName STRING,
  componentName STRING
) WITH (
  'connector' = 'catalog',
  'database-name' = 'curated',
  'table-name' = 'windowed'
);

INSERT INTO windowed
SELECT
  window_start AS fromTimestamp,
  window_end AS toTimestamp,
  MIN(`value`) AS minValue,
  MAX(`value`) AS maxValue,
  unit,
  metricName,
  componentName
FROM TABLE(TUMBLE(TABLE metrics_stream, DESCRIPTOR(publicationTimestamp), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, componentName, metricName, unit;
