"""A witness of the audit log (C2SP tlog-witness): `python -m witness`, with settings from the environment."""
