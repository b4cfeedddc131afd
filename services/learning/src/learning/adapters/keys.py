"""The key of the reviewers' pseudonyms: a file, made on first start (mode 0600) where there is none."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


class KeyFileError(Exception):
    """The key file cannot be read, made or understood; the text names the file and never its content."""


def pseudonym_key(path: Path) -> bytes:
    """At least 32 bytes, as hex in the file."""
    try:
        if not path.exists():
            _create(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise KeyFileError(f"{path}: {type(error).__name__}: mount the key there or make the folder writable") from None
    except ValueError:
        raise KeyFileError(f"{path}: not hexadecimal") from None
    if len(key) < KEY_BYTES:
        raise KeyFileError(f"{path}: shorter than {KEY_BYTES} bytes")
    return key


def _create(path: Path) -> None:
    """Two processes that start together end with the same key: the first link wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
