"""The `longitude` command: every door of the platform from a terminal."""
