"""Learns from episodes and reviews of patients who allow it; the trainer is `python -m learning.train`."""
