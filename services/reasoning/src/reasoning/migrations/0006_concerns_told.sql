-- States of concerns that another system is to be told, in order; gone when it took them.
CREATE TABLE concern_message (
    number     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of the event of this state.
    event_id   uuid        NOT NULL UNIQUE,
    -- longitude.reasoning.v1.Concern
    concern    bytea       NOT NULL,
    at         timestamptz NOT NULL,
    -- How often it was answered, and not taken.
    attempts   integer     NOT NULL DEFAULT 0,
    -- A dead letter: how it was refused, and when.
    refused    text,
    refused_at timestamptz
);
CREATE INDEX concern_message_waiting ON concern_message (number) WHERE refused IS NULL;

-- Which state of a concern it took last.
CREATE TABLE concern_told (
    concern_id uuid    PRIMARY KEY,
    revision   integer NOT NULL
);
