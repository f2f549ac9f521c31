-- What sold best in the last 90 days.
SELECT p.id, coalesce(p.name, l.name) AS product, p.supplier_name, sum(l.quantity) AS quantity, sum(l.total) AS total
FROM sale_line l JOIN sale s ON s.id = l.sale LEFT JOIN product p ON p.id = l.product
WHERE s.placed_at > now() - interval '90 days'
GROUP BY 1, 2, 3
ORDER BY total DESC
LIMIT 100;
