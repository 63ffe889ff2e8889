-- Lengths of texts in groups
SELECT counter_id, avg(CAST(length(url) AS double)) AS l, count(*) AS n FROM hits WHERE url <> ''
GROUP BY counter_id HAVING count(*) > 1000 ORDER BY l DESC, counter_id LIMIT 25
