-- Members of groups may be put back before the pushes they belong to. {s} is the tenant's schema, {id} its number.
ALTER TABLE {s}.group_member ALTER CONSTRAINT group_member_push DEFERRABLE;
