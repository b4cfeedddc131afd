-- Who may be learned from. No row: nobody ever asked, and the answer is no.
CREATE TABLE consent (
    patient_id text        NOT NULL,
    authority  text        NOT NULL,
    given      boolean     NOT NULL,
    -- Counts the changes; the id is that of the event which tells of the last one.
    revision   int         NOT NULL,
    consent_id uuid        NOT NULL,
    decided_by text        NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, authority)
);

-- Of patients without consent, and of nobody in particular.
CREATE TABLE not_collected (
    day   date   NOT NULL,
    what  text   NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (day, what)
);

-- Every object that may stand in a bucket of ours. The row is written before the object and deleted after it, so that
-- no kill leaves an object that nobody knows of.
CREATE TABLE object (
    bucket   text        NOT NULL,
    key      text        NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    doomed   boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (bucket, key)
);

CREATE INDEX object_doomed ON object (noted_at) WHERE doomed;

CREATE TABLE episode (
    episode_id    uuid        PRIMARY KEY,
    assessment_id uuid        NOT NULL,
    patient_id    text        NOT NULL,
    authority     text        NOT NULL,
    consent_id    uuid        NOT NULL,
    bucket        text        NOT NULL,
    -- SHA-256 of the content.
    key           text        NOT NULL,
    size          bigint      NOT NULL,
    steps         int         NOT NULL,
    tokens        int         NOT NULL,
    closed_at     timestamptz NOT NULL,
    FOREIGN KEY (bucket, key) REFERENCES object
);

CREATE INDEX episode_of_patient ON episode (patient_id, authority);
CREATE INDEX episode_of_assessment ON episode (assessment_id);
CREATE INDEX episode_by_time ON episode (closed_at);
CREATE INDEX episode_of_object ON episode (bucket, key);

-- What the model chose at a step of an episode: `say trend`.
CREATE TABLE choice (
    episode_id uuid NOT NULL REFERENCES episode ON DELETE CASCADE,
    step       int  NOT NULL,
    kind       text NOT NULL,
    PRIMARY KEY (episode_id, step)
);

CREATE TABLE review (
    review_id     uuid        PRIMARY KEY,
    assessment_id uuid        NOT NULL,
    patient_id    text        NOT NULL,
    authority     text        NOT NULL,
    consent_id    uuid        NOT NULL,
    -- A pseudonym.
    reviewer      text        NOT NULL,
    -- longitude.reasoning.v1.AssessmentReviewed, with the pseudonym and without the patient.
    review        bytea       NOT NULL,
    reviewed_at   timestamptz NOT NULL
);

CREATE INDEX review_of_patient ON review (patient_id, authority);
CREATE INDEX review_of_assessment ON review (assessment_id);
CREATE INDEX review_by_time ON review (reviewed_at);

-- A statement of a review and what the physician did to it; `violation` is empty where it was kept.
CREATE TABLE judged (
    review_id    uuid NOT NULL REFERENCES review ON DELETE CASCADE,
    position     int  NOT NULL,
    episode_step int  NOT NULL,
    violation    text NOT NULL,
    PRIMARY KEY (review_id, position)
);

CREATE TABLE job (
    job_id       uuid        PRIMARY KEY,
    recipe       text        NOT NULL,
    seed         bigint      NOT NULL,
    steps        int         NOT NULL CHECK (steps > 0),
    state        text        NOT NULL DEFAULT 'queued'
                 CHECK (state IN ('queued', 'running', 'stopped', 'failed', 'done')),
    step         int         NOT NULL DEFAULT 0,
    -- The furthest step that any attempt reported, and the attempts since that got no further.
    furthest     int         NOT NULL DEFAULT 0,
    fruitless    int         NOT NULL DEFAULT 0,
    -- Why the last attempt ended, should it have been the last.
    why          text        NOT NULL DEFAULT '',
    reason       text        NOT NULL DEFAULT '',
    started_by   text        NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz,
    -- Fences trainers: only the last attempt may write.
    attempt      int         NOT NULL DEFAULT 0,
    attempt_at   timestamptz,
    attempt_step int         NOT NULL DEFAULT 0,
    leased_by    text        NOT NULL DEFAULT '',
    leased_until timestamptz,
    CHECK ((state IN ('stopped', 'failed', 'done')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'failed') = (reason <> ''))
);

CREATE INDEX job_open ON job (asked_at) WHERE state IN ('queued', 'running');

CREATE TABLE point (
    job_id uuid             NOT NULL REFERENCES job,
    series text             NOT NULL,
    step   int              NOT NULL,
    value  double precision NOT NULL,
    PRIMARY KEY (job_id, series, step)
);

CREATE TABLE version (
    version_id uuid        PRIMARY KEY,
    job_id     uuid        NOT NULL UNIQUE REFERENCES job,
    bucket     text        NOT NULL,
    key        text        NOT NULL,
    -- longitude.learning.v1.Version
    version    bytea       NOT NULL,
    trained_at timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'candidate'
               CHECK (state IN ('candidate', 'refused', 'live', 'superseded', 'rolled-back')),
    -- What it took the place of when it went live; null: the base model.
    replaced   uuid        REFERENCES version,
    decisions  int         NOT NULL DEFAULT 0,
    decided_by text        NOT NULL DEFAULT '',
    decided_at timestamptz,
    -- The event of the last decision.
    event_id   uuid,
    -- longitude.learning.v1.CandidateTrained with the gates alone; null: not measured.
    gates      bytea,
    gates_at   timestamptz,
    FOREIGN KEY (bucket, key) REFERENCES object
);

-- One serves, at most.
CREATE UNIQUE INDEX version_live ON version ((true)) WHERE state = 'live';
