-- Rows that pass a rare filter
SELECT count(*) AS n FROM hits WHERE adv_engine_id <> 0
