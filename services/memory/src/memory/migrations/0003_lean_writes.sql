-- Facts, groups and entries are written by the thousand, and always behind their identifier's own row: the transaction
-- has registered it and has the person's lock. A foreign key would look it up again for each of them.
ALTER TABLE fact DROP CONSTRAINT fact_identifier_no_fkey;
ALTER TABLE fact_group DROP CONSTRAINT fact_group_identifier_no_fkey;
ALTER TABLE entry DROP CONSTRAINT entry_identifier_no_fkey;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON identifier EXECUTE FUNCTION refuse_change();

-- An entry is in one index by its cluster: among the open ones (open_entry_of_cluster) or among these.
DROP INDEX entry_of_cluster;
CREATE INDEX closed_entry_of_cluster ON entry (cluster_no) WHERE cluster_no IS NOT NULL AND chain IS NULL;
