"""The record as FHIR R4 (4.0.1): what is asked, and what each statement of the record is there."""
