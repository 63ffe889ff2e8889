-- What do small orders of a part earn in a year?
SELECT CAST(sum(l_extendedprice) AS double) / 7 AS avg_yearly
FROM lineitem
JOIN part ON p_partkey = l_partkey
WHERE p_brand = 'Brand#23'
  AND p_container = 'MED BOX'
  AND l_quantity < (SELECT 0.2 * avg(CAST(i.l_quantity AS double)) FROM lineitem i WHERE i.l_partkey = p_partkey)
