-- A text within long texts, grouped
SELECT search_phrase, min(url) AS u, count(*) AS n FROM hits
WHERE url LIKE '%google%' AND search_phrase <> '' GROUP BY search_phrase ORDER BY n DESC, search_phrase LIMIT 10
