"""One module per outside thing: memory, Triton, PostgreSQL, objects."""
