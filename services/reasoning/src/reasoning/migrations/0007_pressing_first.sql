-- While many records wait, only what presses is judged of each; the rest is judged when none waits any more.
ALTER TABLE watched_patient
    -- Since when something of this record waits to be judged; null: nothing does.
    ADD COLUMN waits_since timestamptz;
CREATE INDEX watched_patient_waits ON watched_patient (waits_since) WHERE waits_since IS NOT NULL;
