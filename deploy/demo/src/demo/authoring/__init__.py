"""Authors the synthetic patient's messages, film and scanned page. Deterministic: the same files every time."""
