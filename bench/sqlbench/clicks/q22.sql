-- Many sums of one column
SELECT sum(resolution_width) AS s0, sum(resolution_width + 1) AS s1, sum(resolution_width + 2) AS s2, sum(resolution_width + 3) AS s3,
    sum(resolution_width + 4) AS s4, sum(resolution_width + 5) AS s5, sum(resolution_width + 6) AS s6, sum(resolution_width + 7) AS s7,
    sum(resolution_width + 8) AS s8, sum(resolution_width + 9) AS s9
FROM hits
