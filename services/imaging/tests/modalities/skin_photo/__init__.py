"""A throw-away modality, for tests only."""
