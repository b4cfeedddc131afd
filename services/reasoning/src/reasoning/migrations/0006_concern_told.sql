-- Which state of a concern another system was told last.
CREATE TABLE concern_told (
    concern_id uuid    PRIMARY KEY,
    revision   integer NOT NULL
);
