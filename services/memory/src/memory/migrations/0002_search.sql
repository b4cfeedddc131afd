-- Text and evidence. Qdrant holds vectors and row ids only; what they stand for is here.

CREATE TABLE note_text (
    -- One reading of a document, or the narrative in a fact.
    text_id text PRIMARY KEY,
    identifier_no bigint NOT NULL REFERENCES identifier,
    -- What it is the text of.
    document_id text NOT NULL,
    fact_id text NOT NULL,
    text text NOT NULL,
    authored_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- longitude.ingestion.v1.SourcePointer
    source bytea NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON note_text EXECUTE FUNCTION refuse_change();

-- Texts to be cut into chunks. Written with the text, deleted with the chunks' own rows.
CREATE TABLE text_queue (
    text_id text PRIMARY KEY REFERENCES note_text,
    identifier_no bigint NOT NULL,
    -- The longer the text, the later.
    turn timestamptz NOT NULL
);
CREATE INDEX text_queue_turn ON text_queue (turn);
CREATE INDEX text_queue_of_identifier ON text_queue (identifier_no);

CREATE TABLE note_chunk (
    chunk_id uuid PRIMARY KEY,
    identifier_no bigint NOT NULL REFERENCES identifier,
    document_id text NOT NULL,
    fact_id text NOT NULL,
    -- One reading of a document; a later reading replaces the earlier when searched.
    text_id text NOT NULL,
    text text NOT NULL,
    authored_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- longitude.ingestion.v1.SourcePointer, with the chunk's characters in text_start and text_end
    source bytea NOT NULL
);
CREATE INDEX note_chunk_of_identifier ON note_chunk (identifier_no);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON note_chunk EXECUTE FUNCTION refuse_change();

-- Evidence is a library, not a record: a passage is replaced by its new edition.
CREATE TABLE evidence_passage (
    passage_id text PRIMARY KEY,
    point_id uuid NOT NULL UNIQUE,
    -- Of the payload: what has not changed is not loaded again.
    sha256 text NOT NULL,
    -- longitude.record.v1.Passage
    payload bytea NOT NULL,
    -- `system|code` of its concepts.
    codes text[] NOT NULL,
    terms tsvector NOT NULL,
    loaded_at timestamptz NOT NULL
);
CREATE INDEX evidence_passage_terms ON evidence_passage USING gin (terms);
CREATE INDEX evidence_passage_codes ON evidence_passage USING gin (codes);

-- What the vector index still owes. Written in the transaction that records chunk or passage, deleted when Qdrant has it
-- on disk.
CREATE TABLE index_queue (
    collection text NOT NULL,
    point_id uuid NOT NULL,
    text text NOT NULL,
    payload jsonb NOT NULL,
    -- Whose it is; 0 for evidence.
    identifier_no bigint NOT NULL,
    -- Each point of one owner stands a little further behind: nobody waits for all of another's.
    turn timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (collection, point_id)
);
CREATE INDEX index_queue_turn ON index_queue (turn);
CREATE INDEX index_queue_of_identifier ON index_queue (identifier_no);
