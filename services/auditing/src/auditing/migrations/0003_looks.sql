-- The leaves of looks at a patient, by pseudonym: who looked at this record.
CREATE TABLE look (
    patient        text     NOT NULL,
    leaf_index     bigint   NOT NULL REFERENCES leaf (index),
    PRIMARY KEY (patient, leaf_index)
);
