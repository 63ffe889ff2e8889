-- Which customers with money have not ordered, by the country of their telephone?
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal
FROM (
    SELECT substring(c_phone, 1, 2) AS cntrycode, c_acctbal
    FROM customer
    WHERE substring(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
      AND CAST(c_acctbal AS double) > (
        SELECT avg(CAST(i.c_acctbal AS double))
        FROM customer i
        WHERE i.c_acctbal > 0
          AND substring(i.c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
      )
      AND NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)
) AS idle
GROUP BY cntrycode
ORDER BY cntrycode
