-- Evidence is quarantined when it is imported, and speaks when two people have released it.

-- One text of one publisher, for good; what becomes of it are steps.
CREATE TABLE evidence_edition (
    -- passage id and a digest of publisher and text
    edition_id text PRIMARY KEY,
    passage_id text NOT NULL,
    -- longitude.record.v1.Passage, as it was published
    payload bytea NOT NULL,
    -- Empty: unsigned, local.
    publisher text NOT NULL,
    edition text NOT NULL,
    date text NOT NULL,
    -- Who imported it, by the issuer of their identity; empty where it ships with the product.
    issuer text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    imported_at timestamptz NOT NULL
);
CREATE INDEX evidence_edition_of_passage ON evidence_edition (passage_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evidence_edition EXECUTE FUNCTION refuse_change();

CREATE TABLE evidence_step (
    edition_id text NOT NULL REFERENCES evidence_edition,
    step text NOT NULL CHECK (step IN ('approved', 'released', 'superseded', 'withdrawn')),
    -- Whose step it is; empty for what follows from another step, and for what ships with the product.
    issuer text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    -- Nobody approves twice.
    PRIMARY KEY (edition_id, step, issuer, subject)
);
CREATE UNIQUE INDEX evidence_step_once ON evidence_step (edition_id, step) WHERE step <> 'approved';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evidence_step EXECUTE FUNCTION refuse_change();

-- Each edition with its steps and the state that follows from them.
CREATE VIEW evidence_now AS SELECT e.*,
    coalesce((SELECT jsonb_agg(jsonb_build_array(step, s.issuer, s.subject, s.name, reason, at) ORDER BY at)
        FROM evidence_step s WHERE s.edition_id = e.edition_id), '[]') AS steps,
    coalesce((SELECT CASE WHEN bool_or(step = 'withdrawn') THEN 'withdrawn'
            WHEN bool_or(step = 'superseded') THEN 'superseded' WHEN bool_or(step = 'released') THEN 'released' END
        FROM evidence_step s WHERE s.edition_id = e.edition_id), 'quarantined') AS state
    FROM evidence_edition e;

-- From now on the passages that are released, and nothing else. What was loaded without anybody's approval speaks no more:
-- what ships with the product is loaded again at start, anything else is imported again.
DELETE FROM index_queue WHERE collection = 'memory_evidence';
DELETE FROM evidence_passage;
ALTER TABLE evidence_passage ADD COLUMN edition_id text NOT NULL UNIQUE REFERENCES evidence_edition;
