"""Secrets, one file each: made on first start (mode 0600) where there is none; in production they are mounted."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32


class KeyFileError(Exception):
    """A key file cannot be read, made or understood; the text names the file and never its content."""


def pseudonym_key(path: Path) -> bytes:
    """At least 32 bytes, as hex in the file; 32 random ones where there is none."""
    try:
        key = bytes.fromhex(read_or_create(path, lambda: secrets.token_hex(KEY_BYTES)))
    except ValueError:
        raise KeyFileError(f"{path}: not hexadecimal") from None
    if len(key) < KEY_BYTES:
        raise KeyFileError(f"{path}: shorter than {KEY_BYTES} bytes")
    return key


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """The text of the file, without what surrounds it; what `make` gives where there is no file."""
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
