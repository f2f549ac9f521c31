-- How many contacts consent to what, by country.
SELECT p.purpose, coalesce(c.country, 'unknown') AS country, count(*) AS contacts
FROM consent p JOIN contact c ON c.id = p.contact
GROUP BY 1, 2
ORDER BY 1, 3 DESC;
