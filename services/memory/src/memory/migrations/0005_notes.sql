-- The readings of a person's documents, and when the last of them came.
CREATE INDEX note_text_of_document ON note_text (identifier_no, document_id, recorded_at) WHERE document_id <> '';
