-- Assessments with what they rest on, their episodes, and what physicians decided. Nothing here is ever changed.
CREATE TABLE assessment (
    assessment_id uuid        PRIMARY KEY,
    -- SHA-256 of patient and question: the same request id with another question is refused.
    fingerprint   bytea       NOT NULL,
    patient_id    text        NOT NULL,
    authority     text        NOT NULL,
    -- longitude.reasoning.v1.Assessment
    assessment    bytea       NOT NULL,
    drafted_at    timestamptz NOT NULL
);

CREATE INDEX assessment_of_patient ON assessment (patient_id, authority, drafted_at);

CREATE TABLE episode (
    episode_id    uuid PRIMARY KEY,
    assessment_id uuid NOT NULL REFERENCES assessment,
    -- longitude.record.v1.ObjectRef
    object        bytea NOT NULL
);

CREATE TABLE review (
    review_id     uuid        PRIMARY KEY,
    -- Reviewed once.
    assessment_id uuid        NOT NULL UNIQUE REFERENCES assessment,
    -- longitude.reasoning.v1.AssessmentReviewed
    review        bytea       NOT NULL,
    reviewed_at   timestamptz NOT NULL
);
