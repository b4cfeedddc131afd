-- What each feed sent and how it was understood, counted from leaves in the transaction that writes them. Counting begins
-- with this migration.

-- `measure`: message, acknowledgement, with-facts, with-clinical-facts, remark or rejected; `name`: of what was counted.
CREATE TABLE feed_count (
    facility       text        NOT NULL,
    hour           timestamptz NOT NULL,
    measure        text        NOT NULL,
    name           text        NOT NULL,
    count          bigint      NOT NULL,
    PRIMARY KEY (facility, hour, measure, name)
);

CREATE TABLE feed (
    facility         text        PRIMARY KEY,
    last_received_at timestamptz NOT NULL
);
