"""The demonstration: one synthetic patient's two and a half years, sent into a running system and checked."""
