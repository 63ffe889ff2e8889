-- Groups nearly as many as rows
SELECT watch_id, client_ip, count(*) AS n, sum(is_refresh) AS r, avg(CAST(resolution_width AS double)) AS a
FROM hits WHERE search_phrase <> '' GROUP BY watch_id, client_ip ORDER BY n DESC, watch_id, client_ip LIMIT 10
