"""Versions of the reasoner on Triton: checked before they go live, rolled forward and back under load."""
