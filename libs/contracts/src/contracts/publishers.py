"""Who may publish evidence: Ed25519 keys in the form of Go's note package, as the log's own.

`<name>+<id>+<base64>` is a key that is trusted, `PRIVATE+KEY+<name>+<id>+<base64>` one that signs. The id is the first
four bytes of SHA-256(name, newline, type, public key), so that a key that was miscopied is no key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from longitude.memory.v1.memory_service_pb2 import EvidenceManifest
from longitude.record.v1.context_pb2 import Passage

from contracts.packages import PackageError, signed_bytes

_ED25519 = b"\x01"
_KEY_BYTES = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_PRIVATE = "PRIVATE+KEY+"


class PublisherKeyError(ValueError):
    """A text is no key, or a file of keys is none; the text never has the key in it."""


@dataclass(frozen=True, slots=True)
class PublisherKey:
    """The public half: what an operator trusts."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> PublisherKey:
        return cls(*_parse(text))

    def __str__(self) -> str:
        return f"{self.name}+{_id(self.name, self.public)}+{_base64(self.public)}"

    def signed(self, signature: bytes, data: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half: what a publisher keeps."""

    name: str
    seed: bytes

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        if not _NAME.fullmatch(name):
            raise PublisherKeyError("the name of a publisher is 1 to 80 of a-z, 0-9, '.', '_' and '-'")
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        if not text.strip().startswith(_PRIVATE):
            raise PublisherKeyError(f"a signing key is written {_PRIVATE}<name>+<id>+<base64>")
        return cls(*_parse(text.strip().removeprefix(_PRIVATE), private=True))

    def export(self) -> str:
        """The form that `parse` reads."""
        return f"{_PRIVATE}{self.name}+{_id(self.name, self.publisher.public)}+{_base64(self.seed)}"

    @property
    def publisher(self) -> PublisherKey:
        return PublisherKey(self.name, _public(self.seed))

    def sign(self, edition: str, date: str, passages: Sequence[Passage]) -> EvidenceManifest:
        """The manifest of a package of these passages."""
        manifest = EvidenceManifest(publisher=self.name, edition=edition, date=date)
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        manifest.signature = key.sign(signed_bytes(manifest, passages))
        return manifest


def read_publishers(text: str) -> Mapping[str, tuple[PublisherKey, ...]]:
    """The keys of a file, by publisher: one a line, `#` begins a comment. A publisher may have several: old and new.

    PublisherKeyError names the line.
    """
    trusted: dict[str, tuple[PublisherKey, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        try:
            key = PublisherKey.parse(written)
        except PublisherKeyError as error:
            raise PublisherKeyError(f"line {number}: {error}") from None
        trusted[key.name] = (*trusted.get(key.name, ()), key)
    return trusted


def verify(
    manifest: EvidenceManifest, passages: Sequence[Passage], trusted: Mapping[str, Sequence[PublisherKey]]
) -> None:
    """PackageError unless a trusted key of the publisher signed exactly these passages."""
    keys = trusted.get(manifest.publisher)
    if not keys:
        raise PackageError("the publisher of the package is not among those that are trusted here")
    data = signed_bytes(manifest, passages)
    if not any(key.signed(manifest.signature, data) for key in keys):
        raise PackageError("the signature of the package does not hold: it is not what its publisher signed")


def _parse(text: str, *, private: bool = False) -> tuple[str, bytes]:
    """Name and key bytes."""
    name, _, rest = text.strip().partition("+")
    claimed, _, encoded = rest.partition("+")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not _NAME.fullmatch(name) or len(data) != 1 + _KEY_BYTES or data[:1] != _ED25519:
        raise PublisherKeyError("not an Ed25519 key: <name>+<id>+<base64> is expected")
    key = data[1:]
    if claimed != _id(name, _public(key) if private else key):
        raise PublisherKeyError("the key does not have the id that it claims: it was miscopied")
    return name, key


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _id(name: str, public: bytes) -> str:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).hexdigest()[:8]


def _base64(key: bytes) -> str:
    return base64.b64encode(_ED25519 + key).decode()
