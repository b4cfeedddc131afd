-- Looks at patients' records, each committed before its answer leaves and deleted when the broker has its event
-- (servicekit.looks).
CREATE TABLE look (
    event_id uuid PRIMARY KEY,
    -- Kafka's key.
    key bytea NOT NULL,
    -- RecordRead of this service.
    payload bytea NOT NULL,
    looked_at timestamptz NOT NULL
);
CREATE INDEX look_by_age ON look (looked_at);
