-- Segments that are kept as groups, and how many were in each last time.
SELECT segment, connector, group_name, purpose, members, pushed_at
FROM segment_push
ORDER BY segment, connector;
