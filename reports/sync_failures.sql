-- What connected systems did not take, and why: by connector and code.
SELECT connector, plugin, state, coalesce(code, '') AS code, count(*) AS records, min(changed_at) AS since,
    (array_agg(record ORDER BY changed_at DESC))[:5] AS newest
FROM delivery
WHERE state = 'dead' OR attempts > 0 AND state = 'due'
GROUP BY 1, 2, 3, 4
ORDER BY records DESC;
