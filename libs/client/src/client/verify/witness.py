"""Cosignatures of witnesses under a checkpoint (C2SP tlog-cosignature, Ed25519, version 1).

A witness saw the log grow from every head that it had cosigned before: a log that shows two trees, or that was
rewritten, gets the signature for one of them at most.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from client.errors import VerificationError
from client.verify.note import SIGNATURE_LINE, from_base64

COSIGNATURE = b"\x04"
_TIME_BYTES, _ID_BYTES = 8, 4


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """`<name>+<id>+<base64>` of a witness."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> WitnessKey:
        """VerificationError unless this is the Ed25519 key of a cosigner whose id is right."""
        name, _, rest = text.strip().partition("+")
        claimed, _, encoded = rest.partition("+")
        data = from_base64(encoded)
        key = cls(name, data[1:])
        if len(data) != 33 or data[:1] != COSIGNATURE or key.key_id.hex() != claimed:
            raise VerificationError("not the key of a witness: <name>+<id>+<base64> of type 4 is expected")
        return key

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(COSIGNATURE + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Quorum:
    """Witnesses that are trusted, and how many of them must have cosigned."""

    keys: tuple[WitnessKey, ...]
    least: int

    @classmethod
    def of(cls, texts: Sequence[str], least: int = 0) -> Quorum:
        """More than half of them, unless `least` says how many."""
        keys = tuple(dict.fromkeys(WitnessKey.parse(text) for text in texts))
        return cls(keys, least or (len(keys) // 2 + 1 if keys else 0))


NOBODY = Quorum((), 0)


def message(text: str, seconds: int) -> bytes:
    """What a witness signs under the text of a checkpoint, at a time since 1970."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def cosigned_at(note: str, key: WitnessKey) -> datetime | None:
    """When the witness cosigned; None where it did not. VerificationError: its signature is wrong."""
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(SIGNATURE_LINE).partition(" ")
        data = from_base64(encoded) if name == key.name else b""
        if data[:_ID_BYTES] != key.key_id:
            continue
        seconds = int.from_bytes(data[_ID_BYTES : _ID_BYTES + _TIME_BYTES], "big")
        try:
            signed = message(f"{text}\n", seconds)
            Ed25519PublicKey.from_public_bytes(key.public).verify(data[_ID_BYTES + _TIME_BYTES :], signed)
            return datetime.fromtimestamp(seconds, UTC)
        except (InvalidSignature, OverflowError, ValueError, OSError):
            raise VerificationError(f"the cosignature of {key.name} is wrong") from None
    return None


def require_quorum(note: str, keys: Sequence[WitnessKey], quorum: int) -> int:
    """How many of the witnesses cosigned; VerificationError when these are fewer than `quorum`."""
    count = sum(cosigned_at(note, key) is not None for key in dict.fromkeys(keys))
    if count < quorum:
        raise VerificationError(f"{count} of {len(keys)} witnesses cosigned the checkpoint, and {quorum} must")
    return count
