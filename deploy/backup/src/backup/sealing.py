"""Files that only the passphrase opens, written and read as streams in bounded memory.

The passphrase becomes a key by scrypt (RFC 7914); each file has a key of its own, by HKDF (RFC 5869) from a salt and
the file's name, so that no file passes for another. A file is a sequence of AES-256-GCM chunks in the STREAM
construction (Hoang, Reyhanitabar, Rogaway, Vizar, CRYPTO 2015): the nonce counts the chunks and marks the last, so that
chunks neither change places nor go missing at the end.
"""

import hashlib
import hmac
import io
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from typing_extensions import Buffer

from backup.errors import BackupError

SALT_BYTES = 16
SHORTEST_PASSPHRASE = 16
_MAGIC = b"longitude-backup-1\n"
_CHUNK, _TAG = 256 * 1024, 16
# 128 MiB and some tenths of a second for each guess.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**17, 8, 1


class Key:
    """What the passphrase and a backup's salt give."""

    def __init__(self, passphrase: bytes, salt: bytes) -> None:
        self._key = Scrypt(salt, 32, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P).derive(passphrase)

    def of(self, name: str, salt: bytes = b"") -> bytes:
        """32 bytes for one purpose."""
        return HKDF(SHA256(), 32, salt, name.encode()).derive(self._key)

    def mac(self, text: bytes) -> str:
        """HMAC-SHA256 (RFC 2104) of a manifest, hexadecimal."""
        return hmac.new(self.of("manifest"), text, "sha256").hexdigest()


def read_passphrase(file: Path) -> bytes:
    """The text of the file without what surrounds it; BackupError where it is no secret."""
    try:
        mode, text = file.stat().st_mode, file.read_bytes().strip()
    except OSError as error:
        raise BackupError(f"{file}: {type(error).__name__}: name a file with the passphrase") from None
    if mode & 0o007:
        raise BackupError(f"{file}: others may read it; chmod 600 it")
    if len(text) < SHORTEST_PASSPHRASE:
        raise BackupError(f"{file}: shorter than {SHORTEST_PASSPHRASE} bytes; `openssl rand -base64 32` makes one")
    return text


class SealedWriter(io.RawIOBase):
    """A new file, for its owner only; `size` and `sha256` are those of what lies on disk, once it is closed."""

    def __init__(self, path: Path, key: Key, name: str) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        salt = secrets.token_bytes(SALT_BYTES)
        self._cipher = AESGCM(key.of(name, salt))
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._waiting, self._count, self._digest, self.size = bytearray(), 0, hashlib.sha256(), 0
        self._put(_MAGIC + salt)

    @property
    def sha256(self) -> str:
        """Hexadecimal."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        """Take it all; what does not fill a chunk waits."""
        view = memoryview(data).cast("B")
        self._waiting += view
        # The last chunk is marked: it is known at the end alone.
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), last=False)
            del self._waiting[:_CHUNK]
        return len(view)

    def close(self) -> None:
        """On disk when it returns."""
        if not self.closed:
            self._seal(bytes(self._waiting), last=True)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        super().close()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._put(self._cipher.encrypt(_nonce(self._count, last=last), chunk, None))
        self._count += 1

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)


class _SealedReader(io.RawIOBase):
    def __init__(self, file: BinaryIO, key: Key, name: str) -> None:
        self._file, self._name, self._count, self._open = file, name, 0, b""
        head = file.read(len(_MAGIC) + SALT_BYTES)
        if not head.startswith(_MAGIC):
            raise BackupError(f"{name}: is no file of a backup")
        self._cipher = AESGCM(key.of(name, head.removeprefix(_MAGIC)))
        self._next = file.read(_CHUNK + _TAG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if not self._open and self._next:
            self._open = self._opened()
        view = memoryview(buffer).cast("B")
        some, self._open = self._open[: len(view)], self._open[len(view) :]
        view[: len(some)] = some
        return len(some)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _opened(self) -> bytes:
        sealed, self._next = self._next, self._file.read(_CHUNK + _TAG)
        try:
            chunk = self._cipher.decrypt(_nonce(self._count, last=not self._next), sealed, None)
        except InvalidTag:
            raise BackupError(f"{self._name}: is damaged, or of another passphrase") from None
        self._count += 1
        return chunk


def open_sealed(path: Path, key: Key, name: str) -> BinaryIO:
    """What was written; BackupError where it was altered, cut off or of another name or passphrase."""
    return io.BufferedReader(_SealedReader(path.open("rb"), key, name), _CHUNK)


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
