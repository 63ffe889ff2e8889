-- The most frequent long texts
SELECT url, count(*) AS n FROM hits GROUP BY url ORDER BY n DESC, url LIMIT 10
