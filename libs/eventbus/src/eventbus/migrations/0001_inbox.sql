-- Which events had their effect, and what followed from each, so that a redelivery publishes the same again.
CREATE TABLE inbox (
    consumer   text        NOT NULL,
    event_id   uuid        NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);

CREATE TABLE outbox (
    -- The inbox event, or the id of the command, that these events follow from.
    consumer     text        NOT NULL,
    cause_id     uuid        NOT NULL,
    position     int         NOT NULL,
    topic        text        NOT NULL,
    event_id     uuid        NOT NULL,
    key          bytea       NOT NULL,
    payload      bytea       NOT NULL,
    occurred_at  timestamptz NOT NULL,
    causation_id text        NOT NULL,
    -- Set for events staged by a command; events of the inbox are published before their offset is committed.
    published_at timestamptz,
    PRIMARY KEY (consumer, cause_id, position)
);

CREATE INDEX outbox_unpublished ON outbox (occurred_at) WHERE published_at IS NULL;
