"""What holds the parts together: architecture, contracts, the whole system, faults, charts, measurements."""
