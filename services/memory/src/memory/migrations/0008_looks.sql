-- Looks at patients' records, each committed before its answer leaves and deleted when the broker has its event
-- (servicekit.looks).
CREATE TABLE look (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    -- Kafka's key.
    key bytea NOT NULL,
    -- RecordRead of this service.
    payload bytea NOT NULL,
    looked_at timestamptz NOT NULL
);
