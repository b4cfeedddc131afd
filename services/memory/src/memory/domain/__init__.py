"""Decisions on values: no I/O, no clock."""
