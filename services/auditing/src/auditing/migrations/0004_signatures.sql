-- Who signed the record of a leaf, and whether that held: good, missing or wrong; empty where nobody looked.
ALTER TABLE leaf ADD COLUMN signature text NOT NULL DEFAULT '', ADD COLUMN signer text NOT NULL DEFAULT '';
