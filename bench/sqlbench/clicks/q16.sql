-- One user
SELECT count(*) AS n FROM hits WHERE user_id = 
