-- Groups of a number and a text
SELECT search_engine_id, search_phrase, count(*) AS n FROM hits WHERE search_phrase <> ''
GROUP BY search_engine_id, search_phrase ORDER BY n DESC, search_engine_id, search_phrase LIMIT 10
