-- The record: append-only. What a statement became (superseded, withdrawn, merged) is derived when it is read.

-- Identifiers are numbered so that facts and links stay small.
CREATE TABLE identifier (
    identifier_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority text NOT NULL,
    id text NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (authority, id)
);

-- Statements that can act on each other share a group (longitude.record.v1.Identity) of one identifier, directly or
-- through others: a cluster. Two clusters that a later statement joins share a name from then on; nothing is rewritten.
CREATE SEQUENCE cluster_no;
CREATE TABLE fact_group (
    identifier_no bigint NOT NULL REFERENCES identifier,
    name text NOT NULL,
    cluster_no bigint NOT NULL,
    PRIMARY KEY (identifier_no, name, cluster_no)
);
CREATE INDEX fact_group_of_cluster ON fact_group (cluster_no);

CREATE TABLE fact (
    fact_id text PRIMARY KEY,
    -- The identifier the source used; it never changes, whatever is merged later.
    identifier_no bigint NOT NULL REFERENCES identifier,
    -- None: about itself alone.
    cluster_no bigint,
    kind smallint NOT NULL,
    -- longitude.record.v1.ClinicalFact
    payload bytea NOT NULL,
    -- Valid time as stated, for operators and analysts; readers take it from the payload.
    valid_from timestamptz,
    valid_to timestamptz,
    -- The source's own order: see domain/timeline.py.
    stated_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    ordinal integer NOT NULL,
    -- When the record learned it.
    recorded_at timestamptz NOT NULL,
    event_id text NOT NULL
);
CREATE INDEX fact_of_identifier ON fact (identifier_no, recorded_at);
CREATE INDEX fact_of_cluster ON fact (cluster_no, stated_at) WHERE cluster_no IS NOT NULL;
-- FACT_KIND_DOCUMENT
CREATE INDEX document_of_cluster ON fact (cluster_no) WHERE kind = 7;

-- What became of each statement, as domain/timeline.py derives it. A projection: it is replaced cluster by cluster when
-- facts come in, and can be made again from the facts.
CREATE TABLE entry (
    identifier_no bigint NOT NULL REFERENCES identifier,
    -- The order in which a timeline is read.
    starts timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    fact_id text COLLATE "C" NOT NULL,
    cluster_no bigint,
    kind smallint NOT NULL,
    -- What the facts of one course share: domain/courses.py, concept_of
    concept text NOT NULL,
    -- Since when it is known to hold.
    since timestamptz NOT NULL,
    -- Neither superseded nor withdrawn.
    stands boolean NOT NULL,
    -- longitude.record.v1.RecordedFact
    view bytea NOT NULL,
    -- What a later statement goes on from, where none has come: the first fact of the statement (of which a group's
    -- statement makes another), the place among the entries of it, and when the thing was first stated.
    chain text,
    -- Every alias that the thing is known by: longitude.record.v1.Identity
    chain_identity bytea,
    position smallint,
    first_stated timestamptz,
    PRIMARY KEY (identifier_no, starts, recorded_at, fact_id)
);
CREATE INDEX entry_of_cluster ON entry (cluster_no) WHERE cluster_no IS NOT NULL;
CREATE INDEX open_entry_of_cluster ON entry (cluster_no) WHERE chain IS NOT NULL;
-- The newest and the oldest of each course.
CREATE INDEX standing_entry_of_course ON entry (identifier_no, kind, concept, since, fact_id) WHERE stands;
-- The rules that made the entries; entries made by others are made again at start.
CREATE TABLE entry_rules (rules text NOT NULL);

-- Two identifiers are one person, or (removed) two again.
CREATE TABLE identity_link (
    event_id text NOT NULL,
    ordinal integer NOT NULL,
    surviving_no bigint NOT NULL REFERENCES identifier,
    merged_no bigint NOT NULL REFERENCES identifier,
    removed boolean NOT NULL,
    stated_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, ordinal)
);
CREATE INDEX identity_link_surviving ON identity_link (surviving_no);
CREATE INDEX identity_link_merged ON identity_link (merged_no);

-- What the rules found, as a history: the last row of a contradiction by a time is its state at that time.
CREATE TABLE contradiction (
    contradiction_id text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    rule text NOT NULL,
    fact_ids text[] NOT NULL,
    -- The identifiers of those facts.
    identifier_nos bigint[] NOT NULL,
    open boolean NOT NULL,
    found_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    event_id text NOT NULL,
    PRIMARY KEY (contradiction_id, position)
);
CREATE INDEX contradiction_of_identifiers ON contradiction USING gin (identifier_nos);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fact EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON identity_link EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON contradiction EXECUTE FUNCTION refuse_change();
