-- Whose record is to be looked at for dangers, and when it was: one row for each identifier that memory spoke of.
CREATE TABLE watched_patient (
    patient_id   text        NOT NULL,
    authority    text        NOT NULL,
    -- The oldest and the newest wish; it is served when the record was read after the newest.
    wanted_since timestamptz NOT NULL,
    wanted_at    timestamptz NOT NULL,
    -- When the reading began that concerns are of. By this clock, as the wishes are.
    read_at      timestamptz,
    -- One identifier of the person, the same for all that were linked at that reading.
    person       text        NOT NULL,
    -- Of readings that failed.
    failures     integer     NOT NULL DEFAULT 0,
    not_before   timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (patient_id, authority)
);
CREATE INDEX watched_patient_wanted ON watched_patient (wanted_since) WHERE read_at IS NULL OR wanted_at > read_at;
CREATE INDEX watched_patient_read ON watched_patient (read_at);
CREATE INDEX watched_patient_person ON watched_patient (person);

-- Concerns as they are now. Their history is their events.
CREATE TABLE concern (
    concern_id uuid        PRIMARY KEY,
    patient_id text        NOT NULL,
    authority  text        NOT NULL,
    -- longitude.reasoning.v1.Concern; what is beside it stands in it too.
    concern    bytea       NOT NULL,
    family     text        NOT NULL,
    urgency    smallint    NOT NULL,
    is_open    boolean     NOT NULL,
    opened_at  timestamptz NOT NULL,
    -- Until when what a person did keeps it off the worklist; null: nobody did anything.
    quiet_until timestamptz
);
CREATE INDEX concern_of_patient ON concern (patient_id, authority);
CREATE INDEX concern_open ON concern (urgency, opened_at, concern_id) WHERE is_open;

-- What people did about concerns. Nothing here is ever changed.
CREATE TABLE concern_act (
    concern_id uuid        NOT NULL REFERENCES concern,
    revision   integer     NOT NULL,
    -- longitude.reasoning.v1.ConcernAct
    act        bytea       NOT NULL,
    acted_at   timestamptz NOT NULL,
    PRIMARY KEY (concern_id, revision)
);
