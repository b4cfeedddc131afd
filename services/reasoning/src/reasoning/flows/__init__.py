"""What takes several steps of I/O: a consultation, its driver, a replay, the runs of this process, the outbox."""
