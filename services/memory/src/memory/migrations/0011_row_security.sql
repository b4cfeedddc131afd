-- A transaction reads of patients what it has stated (adapters/postgres/views.py), each until its end: whose record
-- (memory.numbers) and what of it is closed to who calls (memory.closed, bits of labels), or the work that it does on
-- everybody's (memory.work). Where nothing is stated statements, groups, entries and contradictions are an error, so that
-- nobody takes it for an empty record; of texts nothing is there. The owner and `verifier` read past this.

-- `place`: the schema of an edition. Each (SELECT) is run once for a query. A statement has no labels, and a closed one
-- decides what became of an open one: statements are there where nothing is closed.
CREATE FUNCTION guard_edition(place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept text;
BEGIN
    -- The names of groups carry codes of drugs and procedures.
    FOREACH kept IN ARRAY ARRAY['fact', 'fact_group'] LOOP
        EXECUTE format($policy$CREATE POLICY stated ON %I.%I USING ((SELECT current_setting('memory.work', true) = 'rebuild')
            OR identifier_no = ANY ((SELECT current_setting('memory.numbers')::bigint[])::bigint[])
            AND (SELECT current_setting('memory.closed')::integer = 0))$policy$, place, kept);
    END LOOP;
    -- Its index answers this condition before any of a query.
    EXECUTE format($policy$CREATE POLICY stated ON %I.contradiction
        USING (identifier_nos <@ (SELECT current_setting('memory.numbers')::bigint[])
        AND (SELECT current_setting('memory.closed')::integer = 0))$policy$, place);
    EXECUTE format($policy$CREATE POLICY stated ON %I.entry USING ((SELECT current_setting('memory.work', true) = 'rebuild')
        OR identifier_no = ANY ((SELECT current_setting('memory.numbers')::bigint[])::bigint[])
        AND coalesce(labels, -1) & (SELECT current_setting('memory.closed')::integer) = 0)$policy$, place);
    FOREACH kept IN ARRAY ARRAY['fact', 'fact_group', 'contradiction', 'entry'] LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', place, kept);
    END LOOP;
END
$$;

DO $$
DECLARE
    place text;
    kept text;
BEGIN
    -- In the order in which an exchange of editions takes them.
    PERFORM stop_all();
    FOR place IN SELECT schemaname FROM pg_tables
        WHERE tablename = 'entry' AND (schemaname = current_schema() OR schemaname LIKE current_schema() || '\_edition\_%')
    LOOP
        PERFORM guard_edition(place);
    END LOOP;
    -- Texts have no labels either: here is held whose they are. 0 is nobody's: evidence.
    FOREACH kept IN ARRAY ARRAY['note_text', 'note_chunk', 'text_queue', 'index_queue'] LOOP
        EXECUTE format($policy$CREATE POLICY stated ON %I USING (identifier_no = 0
            OR (SELECT current_setting('memory.work', true) = 'index')
            OR identifier_no = ANY ((SELECT nullif(current_setting('memory.numbers', true), '')::bigint[])::bigint[])
            )$policy$, kept);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', kept);
    END LOOP;
END
$$;

-- Of whom a fact of the current edition is, by the identifier that its source used, before anybody's record is stated.
CREATE FUNCTION patient_of(fact text) RETURNS TABLE (authority text, id text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = memory, pg_temp AS $$
    SELECT i.authority, i.id FROM fact f JOIN identifier i USING (identifier_no) WHERE f.fact_id = $1
$$;

-- As 0010 has it, and guarded.
CREATE OR REPLACE FUNCTION begin_edition(rereading text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = memory, pg_temp AS $$
DECLARE
    number integer;
    place text;
    kept text;
    allowed record;
BEGIN
    INSERT INTO edition (edition, rereading_id) SELECT coalesce(max(e.edition), 0) + 1, rereading FROM edition e
        RETURNING edition INTO number;
    place := 'memory_edition_' || number;
    EXECUTE format('CREATE SCHEMA %I', place);
    FOREACH kept IN ARRAY ARRAY['identity_link', 'fact_group', 'fact', 'entry', 'contradiction', 'entry_rules'] LOOP
        EXECUTE format('CREATE TABLE %I.%I (LIKE %I INCLUDING ALL)', place, kept, kept);
        IF kept IN ('identity_link', 'fact', 'contradiction') THEN
            EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I.%I
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', place, kept);
        END IF;
        FOR allowed IN
            SELECT grantee::regrole AS role, privilege_type || columns AS privilege
            FROM (SELECT relacl AS acl, '' AS columns FROM pg_class WHERE oid = kept::regclass
                UNION ALL
                SELECT attacl, format(' (%I)', attname) FROM pg_attribute WHERE attrelid = kept::regclass) AS granted,
                aclexplode(acl)
            WHERE grantee NOT IN (0, grantor)
        LOOP
            EXECUTE format('GRANT %s ON %I.%I TO %s', allowed.privilege, place, kept, allowed.role);
        END LOOP;
    END LOOP;
    EXECUTE format('CREATE TABLE %I.reread (event_id text PRIMARY KEY, carried boolean NOT NULL)', place);
    -- Whoever records facts.
    FOR allowed IN SELECT grantee::regrole AS role FROM pg_class, aclexplode(relacl)
        WHERE oid = 'fact'::regclass AND privilege_type = 'INSERT' AND grantee NOT IN (0, grantor)
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', place, allowed.role);
        EXECUTE format('GRANT SELECT, INSERT ON %I.reread TO %s', place, allowed.role);
    END LOOP;
    PERFORM guard_edition(place);
    RETURN number;
END
$$;
