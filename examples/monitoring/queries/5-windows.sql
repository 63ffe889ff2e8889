-- The newest five minutes of single measurements.
SELECT componentname AS service, metricname AS metric, fromtimestamp AS from_time,
       minvalue AS lowest, round(averagevalue, 2) AS average, maxvalue AS highest, measurements
FROM windows
WHERE fromtimestamp = (SELECT max(fromtimestamp) FROM windows)
ORDER BY 1, 2
