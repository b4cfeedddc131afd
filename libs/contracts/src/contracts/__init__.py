"""What services agree on: topics, identifiers and the generated stubs in the `longitude` package."""
