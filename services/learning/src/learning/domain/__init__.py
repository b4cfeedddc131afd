"""Decisions about values: no I/O, no clock."""
