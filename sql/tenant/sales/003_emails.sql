-- Addresses in orders are for finding the contact, and kept no longer. {s} is the tenant's schema, {id} its number.
ALTER TABLE {s}.sale NO FORCE ROW LEVEL SECURITY;
UPDATE {s}.sale SET email = NULL WHERE contact IS NOT NULL AND email IS NOT NULL;
ALTER TABLE {s}.sale FORCE ROW LEVEL SECURITY;
