"""The trainer: a process of its own that takes one job, runs it and ends."""
