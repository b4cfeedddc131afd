"""How much of a corpus the tables know: `python -m terminology.coverage FOLDER`.

The only part of the package that reads files: a folder of FHIR (json, ndjson, bundles) and HL7 v2 messages, also
compressed (xz) or in archives (tar). Guarantee: every coded occurrence is counted once, known or not.
"""
