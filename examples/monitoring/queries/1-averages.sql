-- The mean of the windows' bounds, per metric and hour of one morning.
SELECT metricname AS metric,
       date_trunc('hour', from_iso8601_timestamp(fromtimestamp)) AS hour,
       round(avg((minvalue + maxvalue) / 2), 2) AS average,
       max(maxvalue) AS highest,
       count(*) AS windows
FROM monitoring.metrics_csv
WHERE from_iso8601_timestamp(fromtimestamp) BETWEEN TIMESTAMP '2026-03-02 08:00:00 UTC' AND TIMESTAMP '2026-03-02 09:59:59 UTC'
GROUP BY 1, 2
ORDER BY 1, 2
