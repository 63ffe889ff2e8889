-- An average of large numbers
SELECT avg(CAST(user_id AS double)) AS a FROM hits
