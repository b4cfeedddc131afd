"""What takes several steps of I/O. Each flow gives an answer; handlers store and publish it."""
