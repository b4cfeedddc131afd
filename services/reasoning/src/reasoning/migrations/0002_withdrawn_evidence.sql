-- Evidence that memory withdrew: what cites it is shown with a notice. Nothing here is ever changed.
CREATE TABLE withdrawn_evidence (
    edition_id   text        PRIMARY KEY,
    passage_id   text        NOT NULL,
    -- longitude.memory.v1.EvidenceWithdrawn
    withdrawal   bytea       NOT NULL,
    withdrawn_at timestamptz NOT NULL
);

CREATE INDEX withdrawn_evidence_of_passage ON withdrawn_evidence (passage_id);
