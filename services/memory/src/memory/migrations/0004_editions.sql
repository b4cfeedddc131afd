-- Editions of the record: each is everything that was received, as one reader read it. The tables of the current one
-- (fact, fact_group, entry, entry_rules, identity_link, contradiction) stand in this schema, those of every other in
-- `memory_edition_N`: a migration that changes one of them changes it in each of these schemas. The first is edition 0.
CREATE TABLE edition (
    edition integer PRIMARY KEY,
    rereading_id text NOT NULL UNIQUE,
    -- Messages recorded in it, those that were refused among them, and how many there are: known when all were read.
    messages bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    total bigint,
    -- What was known from then on is answered by it; none while it is made.
    current_from timestamptz
);
