SELECT hour(from_time) AS hour, round(avg(max_value), 2) AS value
FROM metrics
WHERE metric = 'latency' AND component = 'gateway'
GROUP BY 1
ORDER BY 2 DESC
LIMIT 3
