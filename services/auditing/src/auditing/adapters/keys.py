"""The signing keys of the log, a file of `servicekit.keys`: one a line, the newest first, and all sign.

A verifier key in it is one that signs no more. The verifier keys, which are public, are written beside it, as `.pub`.
"""

from pathlib import Path

from servicekit.keys import KeyFileError, read_or_create

from auditing.domain.notes import Signer


def signing_key(path: Path, origin: str) -> Signer:
    """The log's key, which must carry the log's name."""
    try:
        signer = Signer.parse_all(read_or_create(path, lambda: Signer.generate(origin).export()))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None
    if signer.name != origin:
        raise KeyFileError(f"{path}: this key belongs to a log of another name; set LONGITUDE_LOG_ORIGIN to it")
    _publish(path.with_name(f"{path.name}.pub"), "\n".join([signer.verifier_key, *signer.older_keys]))
    return signer


def _publish(path: Path, verifier_keys: str) -> None:
    """A read-only mount has the public key in its own place already."""
    try:
        path.write_text(verifier_keys + "\n", encoding="ascii")
    except OSError:
        return
