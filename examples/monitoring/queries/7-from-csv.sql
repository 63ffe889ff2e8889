SELECT hour(from_iso8601_timestamp(fromtimestamp)) AS hour, round(avg(maxvalue), 2) AS value
FROM monitoring.metrics_csv
WHERE metricname = 'latency' AND componentname = 'gateway'
GROUP BY 1
ORDER BY 2 DESC
LIMIT 3
