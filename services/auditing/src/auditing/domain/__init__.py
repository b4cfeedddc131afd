"""Decisions on values: hashing, proofs, tiles, notes and the form of a leaf. No network, no clock."""
