-- The hundred customers who spent most in the last year.
SELECT c.id, c.name, c.email, s.currency, count(*) AS orders, sum(s.total) AS total, max(s.placed_at)::date AS last_order
FROM sale s JOIN contact c ON c.id = s.contact
WHERE s.placed_at > now() - interval '1 year'
GROUP BY c.id, c.name, c.email, s.currency
ORDER BY total DESC
LIMIT 100;
