-- Whose clients there are, and what they ordered in the last 30 days.
SELECT p.id, p.name, p.teams, count(DISTINCT c.id) AS clients, count(DISTINCT s.id) AS orders
FROM staff p LEFT JOIN contact c ON c.owner = p.id
LEFT JOIN sale s ON s.contact = c.id AND s.placed_at > now() - interval '30 days'
WHERE NOT p.disabled
GROUP BY p.id, p.name, p.teams
ORDER BY orders DESC;
