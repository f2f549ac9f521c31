-- New contacts by week and source, for the last half year.
SELECT date_trunc('week', created_at)::date AS week, coalesce(source, 'unknown') AS source, count(*) AS contacts
FROM contact
WHERE created_at > now() - interval '6 months'
GROUP BY 1, 2
ORDER BY 1 DESC, 3 DESC;
