"""What takes several steps of I/O."""
