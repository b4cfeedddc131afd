-- What is sensitive, and to whom it was opened.

-- Labels of each entry (domain/sensitive.py), in every edition; none: not labelled yet, and closed to everybody.
DO $$
DECLARE place text;
BEGIN
    FOR place IN SELECT schemaname FROM pg_tables
        WHERE tablename = 'entry' AND (schemaname = current_schema() OR schemaname LIKE current_schema() || '\_edition\_%')
    LOOP
        EXECUTE format('ALTER TABLE %I.entry ADD COLUMN labels integer', place);
        EXECUTE format('CREATE INDEX sensitive_entry ON %I.entry (identifier_no)
            WHERE stands AND labels IS DISTINCT FROM 0', place);
    END LOOP;
END
$$;

-- Openings: somebody asked for more of one patient's record, with a reason and an end.
CREATE TABLE opening (
    opening_id uuid PRIMARY KEY,
    identifier_no bigint NOT NULL REFERENCES identifier,
    -- To whom, by the issuer of their identity.
    issuer text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    -- HL7 v3 ActReason: TREAT or BTG.
    purpose text NOT NULL,
    labels integer NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    -- Somebody else must look at it afterwards.
    review boolean NOT NULL
);
CREATE INDEX opening_of_person ON opening (issuer, subject, ends_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON opening EXECUTE FUNCTION refuse_change();

CREATE TABLE opening_step (
    opening_id uuid NOT NULL REFERENCES opening,
    step text NOT NULL CHECK (step IN ('ended', 'reviewed')),
    issuer text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    -- Of a review.
    justified boolean,
    comment text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (opening_id, step)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON opening_step EXECUTE FUNCTION refuse_change();
