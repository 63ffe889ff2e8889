-- One user
SELECT count(*) AS n FROM hits WHERE user_id = 2358998009538179176
