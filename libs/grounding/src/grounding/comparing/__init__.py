"""Comparing: an assertion against the facts of a record, one small function for each kind."""
