-- Hosts by a regular expression
SELECT regexp_replace(referer, '^https?://(?:www\.)?([^/]+)/.*$', '$1') AS host,
    avg(CAST(length(referer) AS double)) AS l, count(*) AS n, min(referer) AS example
FROM hits WHERE referer <> ''
GROUP BY regexp_replace(referer, '^https?://(?:www\.)?([^/]+)/.*$', '$1')
HAVING count(*) > 500 ORDER BY l DESC, host LIMIT 25
