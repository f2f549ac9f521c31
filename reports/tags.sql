-- Tags, how many have each, and what they spent.
SELECT t.tag, count(DISTINCT t.contact) AS contacts, count(DISTINCT s.id) AS orders
FROM contact_tag t LEFT JOIN sale s ON s.contact = t.contact
GROUP BY 1
ORDER BY 2 DESC;
