"""Checkpoints: C2SP signed notes, checked with a pinned Ed25519 verifier key."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from client.errors import VerificationError

SIGNATURE_LINE = "\u2014 "
MAX_NOTE_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """`<name>+<id>+<base64>`, taken apart."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """VerificationError unless this is an Ed25519 verifier key whose id is right."""
        name, _, rest = text.strip().partition("+")
        claimed, _, encoded = rest.partition("+")
        data = from_base64(encoded)
        if len(data) != 33 or data[0] != 1:
            raise VerificationError("not an Ed25519 verifier key: <name>+<id>+<base64> is expected")
        key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if key_id.hex() != claimed:
            raise VerificationError("the verifier key does not have the id that it claims")
        return cls(name, key_id, data[1:])

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head that its log signed."""

    origin: str
    size: int
    root: bytes


def open_note(note: str, key: VerifierKey) -> str:
    """The text of a note that `key` signed; VerificationError for any other."""
    if len(note) > MAX_NOTE_CHARACTERS or any(c < " " and c != "\n" for c in note):
        raise VerificationError("not a signed note")
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise VerificationError("not a signed note")
    text += "\n"
    if not any(_signed_by(line, text, key) for line in signatures[:-1].split("\n")):
        raise VerificationError("the note is not signed by the pinned key")
    return text


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The tree head of a checkpoint that `key` signed, about the log that the key is for."""
    origin, size, root, *_ = [*open_note(note, key).split("\n"), "", ""]
    digest = from_base64(root)
    if not size.isdecimal() or str(int(size)) != size or len(digest) != 32:
        raise VerificationError("not a checkpoint")
    if origin != key.name:
        raise VerificationError("a checkpoint of another log")
    return Checkpoint(origin, int(size), digest)


def open_by_any(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The tree head of a checkpoint that one of the keys signed; VerificationError as for the last of them."""
    for key in keys[:-1]:
        with suppress(VerificationError):
            return open_checkpoint(note, key)
    return open_checkpoint(note, keys[-1])


def _signed_by(line: str, text: str, key: VerifierKey) -> bool:
    """False for other keys' signatures; VerificationError for a wrong one of this key."""
    if not line.startswith(SIGNATURE_LINE):
        raise VerificationError("not a signed note")
    name, _, encoded = line.removeprefix(SIGNATURE_LINE).partition(" ")
    data = from_base64(encoded)
    if name != key.name or data[:4] != key.key_id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], text.encode())
    except InvalidSignature:
        raise VerificationError("the signature of the checkpoint is wrong") from None
    return True


def from_base64(text: str) -> bytes:
    """VerificationError for a text that is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerificationError("not base64") from None
