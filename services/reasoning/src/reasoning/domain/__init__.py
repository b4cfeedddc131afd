"""Decisions on values: rules, the order of statements, the gate. No I/O, no clock."""
