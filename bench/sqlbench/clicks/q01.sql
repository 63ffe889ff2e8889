-- Rows of the table
SELECT count(*) AS n FROM hits
