-- Sales by month and currency, newest first.
SELECT date_trunc('month', placed_at)::date AS month, currency, count(*) AS orders, sum(total) AS total,
    round(avg(total), 2) AS average_order
FROM sale
GROUP BY 1, 2
ORDER BY 1 DESC, 2;
