"""Decisions on values: what a question means, and what an answer says. No network, no clock."""
