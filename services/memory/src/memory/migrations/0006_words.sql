-- What of a point the vector index still owes: its words, its meaning or both. Of notes alone there are words.
ALTER TABLE index_queue ADD COLUMN words boolean NOT NULL DEFAULT false;
ALTER TABLE index_queue ADD COLUMN meaning boolean NOT NULL DEFAULT true;
UPDATE index_queue SET words = true WHERE collection = 'memory_notes';
CREATE INDEX index_queue_words ON index_queue (turn) WHERE words;
