-- What plugins decided in the last week, and how often.
SELECT connector, plugin, verdict, count(*) AS changes
FROM decision
WHERE at > now() - interval '7 days'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 4 DESC;
