-- Several aggregates of a whole table
SELECT sum(adv_engine_id) AS s, count(*) AS n, avg(CAST(resolution_width AS double)) AS a FROM hits
