"""The two secrets of the log, one file each: the signing key and the key of the patients' pseudonyms.

Made on first start (mode 0600) where there is none; in production they are mounted secrets. The verifier key, which
is public, is written beside the signing key as `<file>.pub`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from auditing.domain.notes import Signer

PSEUDONYM_KEY_BYTES = 32


class KeyFileError(Exception):
    """A key file cannot be read, made or understood; the text names the file and never its content."""


def signing_key(path: Path, origin: str) -> Signer:
    """The log's key, which must carry the log's name."""
    try:
        signer = Signer.parse(_read_or_create(path, lambda: Signer.generate(origin).export()))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None
    if signer.name != origin:
        raise KeyFileError(f"{path}: this key belongs to a log of another name; set LONGITUDE_LOG_ORIGIN to it")
    _publish(path.with_name(f"{path.name}.pub"), signer.verifier_key)
    return signer


def pseudonym_key(path: Path) -> bytes:
    """32 random bytes, as hex in the file."""
    try:
        key = bytes.fromhex(_read_or_create(path, lambda: secrets.token_hex(PSEUDONYM_KEY_BYTES)))
    except ValueError:
        raise KeyFileError(f"{path}: not hexadecimal") from None
    if len(key) < PSEUDONYM_KEY_BYTES:
        raise KeyFileError(f"{path}: shorter than {PSEUDONYM_KEY_BYTES} bytes")
    return key


def _read_or_create(path: Path, make: Callable[[], str]) -> str:
    try:
        if not path.exists():
            _create(path, make())
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: {type(error).__name__}: mount the key there or make the folder writable") from None


def _create(path: Path, text: str) -> None:
    """Two processes that start together end with the same key: the first link wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _publish(path: Path, verifier_key: str) -> None:
    """A read-only mount has the public key in its own place already."""
    try:
        path.write_text(verifier_key + "\n", encoding="ascii")
    except OSError:
        return
