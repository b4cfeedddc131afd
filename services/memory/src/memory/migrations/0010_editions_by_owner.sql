-- The service's role owns nothing (rights.toml). What making another edition does to tables as such is done by these, as
-- their owner; each refuses what no step of a rereading asks for.

-- `place`: the schema of an edition. Writers of its facts and entries wait until the transaction ends.
CREATE FUNCTION hold_writers(place text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = memory, pg_temp AS $$
BEGIN
    IF place !~ '^memory(_edition_[0-9]+)?$' THEN
        RAISE EXCEPTION '% is no edition', place;
    END IF;
    EXECUTE format('LOCK TABLE %1$I.fact, %1$I.entry IN SHARE ROW EXCLUSIVE MODE', place);
END
$$;

-- Nobody else reads or writes the current edition until the transaction ends. In the order in which a writer comes to them.
CREATE FUNCTION stop_all() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = memory, pg_temp AS $$
BEGIN
    LOCK TABLE identity_link, fact_group, fact, entry, contradiction, entry_rules IN ACCESS EXCLUSIVE MODE;
END
$$;

-- What a transaction must state to read an edition (0011 says what, and guards those that there are).
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

-- The tables of a further edition, empty, with the rights of the current one's; its number.
CREATE FUNCTION begin_edition(rereading text) RETURNS integer
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

-- Make an edition current that is whole, and let what was current be past; when. The caller has stopped all.
CREATE FUNCTION exchange_edition(number integer) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = memory, pg_temp AS $$
DECLARE
    made CONSTANT text := 'memory_edition_' || number;
    past text;
    kept text;
    moment timestamptz;
    reader regrole;
BEGIN
    past := 'memory_edition_' || coalesce(
        (SELECT e.edition FROM edition e WHERE e.current_from IS NOT NULL ORDER BY e.current_from DESC LIMIT 1), 0);
    UPDATE edition SET current_from = clock_timestamp()
        WHERE edition = number AND current_from IS NULL AND messages = total RETURNING current_from INTO moment;
    IF moment IS NULL THEN
        RAISE EXCEPTION 'edition % is not whole, or was made current before', number;
    END IF;
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', past);
    FOR reader IN SELECT grantee::regrole FROM pg_class, aclexplode(relacl)
        WHERE oid = 'fact'::regclass AND privilege_type = 'SELECT' AND grantee NOT IN (0, grantor)
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', past, reader);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['identity_link', 'fact_group', 'fact', 'entry', 'contradiction', 'entry_rules'] LOOP
        EXECUTE format('ALTER TABLE memory.%I SET SCHEMA %I', kept, past);
        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA memory', made, kept);
    END LOOP;
    RETURN moment;
END
$$;
