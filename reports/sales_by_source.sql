-- What customers spent by where they came from.
SELECT coalesce(c.source, 'unknown') AS source, s.currency, count(*) AS orders, count(DISTINCT s.contact) AS customers,
    sum(s.total) AS total
FROM sale s JOIN contact c ON c.id = s.contact
GROUP BY 1, 2
ORDER BY total DESC;
