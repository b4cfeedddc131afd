"""What auditing does without being asked: it reads records, and it brings out checkpoints."""
