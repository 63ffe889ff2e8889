-- The week that came in batches and the half hour that came as a stream, in one table.
SELECT if(fromtimestamp < TIMESTAMP '2026-03-09 00:00:00', 'batch', 'live') AS came_as, count(*) AS windows,
       count(DISTINCT componentname) AS services, min(fromtimestamp) AS first_window, max(totimestamp) AS last_end
FROM windowed
GROUP BY 1
ORDER BY 1
