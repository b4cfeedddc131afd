"""What takes several steps of I/O: gathering for a context pack, search, the evidence library, the indexer."""
