-- Which parts are the bulk of a nation's stock?
WITH stock AS (
    SELECT ps_partkey, ps_supplycost * ps_availqty AS worth
    FROM partsupp
    JOIN supplier ON s_suppkey = ps_suppkey
    JOIN nation ON n_nationkey = s_nationkey
    WHERE n_name = 'GERMANY'
)
SELECT ps_partkey, sum(worth) AS total
FROM stock
GROUP BY ps_partkey
HAVING CAST(sum(worth) AS double) > (SELECT CAST(sum(worth) AS double) * 0.0001 FROM stock)
ORDER BY total DESC, ps_partkey
