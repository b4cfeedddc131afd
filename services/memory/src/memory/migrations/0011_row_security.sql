-- A transaction reads of patients what it has stated (adapters/postgres/views.py), each until its end: whose record
-- (memory.numbers) and what of it is closed to who calls (memory.closed, bits of labels), or the work that it does on
-- everybody's (memory.work). Where nothing is stated statements, groups, entries and contradictions are an error, so that
-- nobody takes it for an empty record; of texts nothing is there. The owner and `verifier` read past this.

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
