"""C2SP signed notes and checkpoints, signed with Ed25519.

Guarantee: signing is deterministic, so a checkpoint signed again after a crash is the same note.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: the log's name, its size in leaves and its root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text of C2SP tlog-checkpoint."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Signer:
    """A named Ed25519 key that signs notes."""

    name: str
    key: Ed25519PrivateKey
    # Keys before this one that sign as well, and the public halves of those that do no more; the newest first.
    older: tuple[Signer, ...] = ()
    retired: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(character.isspace() for character in self.name):
            raise ValueError("the name of a signing key is not empty and has neither spaces nor '+'")

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new random key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read `PRIVATE+KEY+<name>+<id>+<base64>`, the form of Go's note package. ValueError without the key in it."""
        parts = text.strip().split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
            raise ValueError("not a note signing key: PRIVATE+KEY+<name>+<id>+<base64> is expected")
        data = base64.b64decode(parts[4], validate=True)
        if len(data) != 33 or data[:1] != _ED25519:
            raise ValueError("not an Ed25519 note signing key")
        signer = cls(parts[2], Ed25519PrivateKey.from_private_bytes(data[1:]))
        if signer.key_id.hex() != parts[3]:
            raise ValueError("the signing key does not have the id that it claims")
        return signer

    @classmethod
    def parse_all(cls, text: str) -> Signer:
        """A key a line, the newest first; a verifier key is one that signs no more. ValueError: no key, other names."""
        first, *rest = text.split()
        newest, signing = cls.parse(first), [cls.parse(line) for line in rest if line.startswith("PRIVATE+KEY+")]
        retired = tuple(line for line in rest if not line.startswith("PRIVATE+KEY+"))
        if {newest.name} != {newest.name, *(each.name for each in signing), *(line.split("+")[0] for line in retired)}:
            raise ValueError("keys of different names")
        return cls(newest.name, newest.key, tuple(signing), retired)

    @property
    def older_keys(self) -> list[str]:
        """Verifier keys of the keys before this one, with which older notes verify."""
        return [*(each.verifier_key for each in self.older), *self.retired]

    @property
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_bytes).digest()[:4]

    @property
    def verifier_key(self) -> str:
        """`<name>+<id>+<base64>`: what a verifier pins."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public_bytes)}"

    def export(self) -> str:
        """The private key in the form that `parse` reads."""
        seed = self.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return f"PRIVATE+KEY+{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + seed)}"

    def sign(self, text: str) -> str:
        """The note: text, blank line, a signature line for each key that signs."""
        return f"{text}\n" + "".join(each.line(text) for each in (self, *self.older))

    def line(self, text: str) -> str:
        """The signature line of this key alone."""
        return f"\u2014 {self.name} {_base64(self.key_id + self.key.sign(text.encode()))}\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
