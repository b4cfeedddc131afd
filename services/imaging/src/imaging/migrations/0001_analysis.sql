-- Every answer this service gave, under the event that asked for it. Written once, never changed.
CREATE TABLE analysis (
    cause_id  uuid PRIMARY KEY,
    event_id  uuid NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('study', 'document')),
    subject   text NOT NULL,
    payload   bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX analysis_subject ON analysis (kind, subject, stored_at DESC);
