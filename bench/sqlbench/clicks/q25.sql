-- One site's pages over a month
SELECT url, count(*) AS n FROM hits
WHERE counter_id = 62 AND event_date >= DATE '2013-07-01' AND event_date <= DATE '2013-07-31'
  AND dont_count_hits = 0 AND is_refresh = 0 AND url <> ''
GROUP BY url ORDER BY n DESC, url LIMIT 10
