"""The one error of this package: what was asked is not done."""


class BackupError(Exception):
    """The text says why and what to do; it names files, topics, tables and keys of settings, never what is in them."""
