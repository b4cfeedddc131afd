"""Backup and restore of a whole deployment: `python -m backup take|verify|restore|keys`; why it is right: README.md."""
