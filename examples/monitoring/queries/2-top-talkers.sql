-- Who calls most, and with what.
SELECT remote_addr AS client,
       count(*) AS calls,
       count(DISTINCT path) AS paths,
       max_by(path, time_iso8601) AS latest
FROM monitoring.access_logs
GROUP BY remote_addr
ORDER BY calls DESC, client
LIMIT 5
