-- The share of failed calls per service, told by the file the line stands in.
SELECT regexp_extract("$path", '([a-z]+)[^/]*$', 1) AS service,
       count(*) AS calls,
       count_if(status >= 500) AS failed,
       format('%.2f %%', 100e0 * count_if(status >= 500) / count(*)) AS rate
FROM monitoring.access_logs
GROUP BY 1
ORDER BY failed DESC
LIMIT 6
