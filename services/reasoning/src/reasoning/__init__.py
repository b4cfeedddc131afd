"""Answers questions about a patient: rules and a model speak, a gate decides what is released, a physician signs."""
