-- Attempts of some hours are found without reading the others: they lie in the order in which they began, so a summary of their
-- blocks is enough, and costs delivery nothing. {s} is the tenant's schema.
CREATE INDEX attempt_by_start ON {s}.attempt USING brin (started_at) WITH (pages_per_range = 32, autosummarize = on);
