CREATE TABLE events (
  componentName STRING, metricName STRING, unit STRING, `value` DOUBLE, publicationTimestamp @TIME@,
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH (@EVENTS@, 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');

CREATE TABLE windows (
  componentName STRING, metricName STRING, minValue DOUBLE, maxValue DOUBLE, fromTimestamp TIMESTAMP(3)
) WITH (@WINDOWS@);

INSERT INTO windows
SELECT componentName, metricName, MIN(`value`), MAX(`value`), window_start
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(publicationTimestamp), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, componentName, metricName;
