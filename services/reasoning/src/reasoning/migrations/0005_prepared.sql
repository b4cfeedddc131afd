-- For whom a brief or a summary may have to be written before it is asked for, by every identifier.
CREATE TABLE prepared_patient (
    patient_id text        NOT NULL,
    authority  text        NOT NULL,
    -- The newest wish to look.
    wanted_at  timestamptz NOT NULL,
    -- When to look next.
    due_at     timestamptz NOT NULL,
    -- Of looks that failed, one behind the other.
    failures   integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (patient_id, authority)
);
CREATE INDEX prepared_patient_due ON prepared_patient (due_at);

-- What is ready: replaced when the record changes, gone when its occasion is over. One that is opened becomes an assessment.
CREATE TABLE prepared (
    patient_id        text        NOT NULL,
    authority         text        NOT NULL,
    form              smallint    NOT NULL,
    -- How many facts that stand are closed in the view that it is written for.
    closed            integer     NOT NULL,
    -- Of the person, `ID@AUTHORITY`, in order.
    identifiers       text[]      NOT NULL,
    occasion          smallint    NOT NULL,
    at                timestamptz NOT NULL,
    -- When its reading began, by this clock; and the state of the record that was read, by memory's.
    made_at           timestamptz NOT NULL,
    record_changed_at timestamptz NOT NULL,
    -- longitude.reasoning.v1.Assessment, and its episode as an object has it.
    assessment        bytea       NOT NULL,
    episode           bytea       NOT NULL,
    PRIMARY KEY (patient_id, authority, form, closed)
);
CREATE INDEX prepared_of_identifier ON prepared USING gin (identifiers);
