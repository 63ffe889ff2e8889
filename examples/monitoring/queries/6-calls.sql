-- The pairs of services with the most calls in the week, as Grafana's node graph takes them.
SELECT source, target, mainstat AS calls, secondarystat AS failed
FROM edges
ORDER BY calls DESC, source, target
LIMIT 5
