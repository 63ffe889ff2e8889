-- The largest jumps of a metric from one hour to the next.
WITH hourly AS (
    SELECT componentname AS service, metricname AS metric,
           date_trunc('hour', from_iso8601_timestamp(fromtimestamp)) AS hour,
           avg(maxvalue) AS value
    FROM monitoring.metrics_csv
    GROUP BY 1, 2, 3
)
SELECT service, metric, hour, round(value, 2) AS value,
       round(value - lag(value) OVER (PARTITION BY service, metric ORDER BY hour), 2) AS change
FROM hourly
ORDER BY abs(value - lag(value) OVER (PARTITION BY service, metric ORDER BY hour)) DESC
LIMIT 5
