"""Decisions on bytes and values: framing, parsing, normalisation and answers. No input or output."""
