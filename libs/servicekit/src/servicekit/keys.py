"""Secrets, one file each: made on first start (mode 0600) where there is none; in production they are mounted."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32
# The one in use, and those before it.
MOST_KEYS = 16


class KeyFileError(Exception):
    """A key file cannot be read, made or understood; the text names the file and never its content."""


def pseudonym_keys(path: Path) -> tuple[bytes, ...]:
    """At least 32 bytes each, as hex in the file, a line each, the newest first; 32 random ones where there is none."""
    try:
        lines = read_or_create(path, lambda: secrets.token_hex(KEY_BYTES)).splitlines()
        keys = tuple(bytes.fromhex(line) for line in lines if line.strip())
    except ValueError:
        raise KeyFileError(f"{path}: not hexadecimal") from None
    if not keys or min(map(len, keys)) < KEY_BYTES:
        raise KeyFileError(f"{path}: shorter than {KEY_BYTES} bytes")
    if len(keys) > MOST_KEYS:
        raise KeyFileError(f"{path}: more than {MOST_KEYS} keys")
    return keys


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
