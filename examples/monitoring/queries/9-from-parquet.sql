SELECT hour(fromtimestamp) AS hour, round(avg(maxvalue), 2) AS value
FROM windows_by_metric
WHERE metricname = 'latency' AND componentname = 'gateway'
GROUP BY 1
ORDER BY 2 DESC
LIMIT 3
