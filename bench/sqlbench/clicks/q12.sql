-- The most frequent texts
SELECT search_phrase, count(*) AS n FROM hits WHERE search_phrase <> ''
GROUP BY search_phrase ORDER BY n DESC, search_phrase LIMIT 10
