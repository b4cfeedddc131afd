"""Decisions on values: what a review and a checked text become, and which events tell of them. No I/O, no clock."""
