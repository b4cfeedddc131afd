-- The transparency log. A leaf is written once and never changed.

CREATE TABLE leaf (
    index          bigint   PRIMARY KEY,
    hash           bytea    NOT NULL CHECK (octet_length(hash) = 32),
    -- FHIR R4 AuditEvent, canonical JSON.
    data           bytea    NOT NULL,
    event_id       text     NOT NULL,
    event_type     text     NOT NULL,
    causation_id   text     NOT NULL,
    topic          text     NOT NULL,
    partition      int      NOT NULL,
    "offset"       bigint   NOT NULL,
    payload_sha256 bytea    NOT NULL,
    UNIQUE (topic, partition, "offset"),
    UNIQUE (event_id, topic)
);
CREATE INDEX leaf_causation ON leaf (causation_id) WHERE causation_id <> '';

-- Records of an event that already had a leaf: a producer sent it again.
CREATE TABLE duplicate (
    topic          text     NOT NULL,
    partition      int      NOT NULL,
    "offset"       bigint   NOT NULL,
    leaf_index     bigint   NOT NULL REFERENCES leaf (index),
    payload_sha256 bytea    NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
);

-- How far each partition is recorded, written in the transaction that records it: the offset of this consumer.
CREATE TABLE position (
    topic          text     NOT NULL,
    partition      int      NOT NULL,
    next_offset    bigint   NOT NULL,
    leaves         bigint   NOT NULL,
    duplicates     bigint   NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Roots of the perfect subtrees of 256**level leaves: what the tiles of level 1 and above hold.
CREATE TABLE subtree (
    level          int      NOT NULL,
    index          bigint   NOT NULL,
    hash           bytea    NOT NULL,
    PRIMARY KEY (level, index)
);

-- One row: the tree of all leaves. Locked by whoever appends, so that indexes have no gap.
CREATE TABLE tree_head (
    one            boolean  PRIMARY KEY DEFAULT true CHECK (one),
    size           bigint   NOT NULL,
    peaks          bytea[]  NOT NULL
);
INSERT INTO tree_head (size, peaks) VALUES (0, '{}');

-- Signed tree heads. `published_at` is set when tiles, checkpoint object and event are out.
CREATE TABLE checkpoint (
    size           bigint   PRIMARY KEY,
    root           bytea    NOT NULL,
    note           text     NOT NULL,
    signed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at   timestamptz
);

-- Identifiers that people trace by: control ids, documents, images, assessments.
CREATE TABLE subject (
    identifier     text     NOT NULL,
    leaf_index     bigint   NOT NULL REFERENCES leaf (index),
    PRIMARY KEY (identifier, leaf_index)
);
