"""Decisions about films and pages, on values: no network, no clock."""
