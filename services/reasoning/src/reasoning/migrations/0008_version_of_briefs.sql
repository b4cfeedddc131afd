-- What is ready is of use only to a process whose rules, rows and settings are those that it was written by.
ALTER TABLE prepared
    -- Digest of these; empty: not known.
    ADD COLUMN version text NOT NULL DEFAULT '';
ALTER TABLE prepared_patient
    -- Of the last look.
    ADD COLUMN version text NOT NULL DEFAULT '';
