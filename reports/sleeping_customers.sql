-- Customers of three orders or more who have not ordered for 90 days.
SELECT c.id, c.name, c.owner, count(*) AS orders, max(s.placed_at)::date AS last_order
FROM sale s JOIN contact c ON c.id = s.contact
GROUP BY c.id, c.name, c.owner
HAVING count(*) >= 3 AND max(s.placed_at) < now() - interval '90 days'
ORDER BY last_order;
