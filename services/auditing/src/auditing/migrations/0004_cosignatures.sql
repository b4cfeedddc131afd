-- Signature lines of witnesses under a checkpoint (C2SP tlog-cosignature); empty where none has cosigned.
ALTER TABLE checkpoint ADD COLUMN cosignatures text NOT NULL DEFAULT '';
