"""Who wrote an event: a signature in the headers of its record, by the key of the writer's own certificate.

Signed are, under a name of their own so that no other signature of the key can be taken for one of these: the topic,
the key, every CloudEvents header (`ce_*`), the content type, the time of signing and the SHA-256 of the value, each
after its length. ECDSA on P-256 with SHA-256 (FIPS 186-5). The certificates travel with the signature, so that what an
older key signed stays verifiable: their chain must lead to the authority (RFC 5280), and must have been valid when it
signed. Who may write a topic is its owner, the first word of its name; manifests that say otherwise are refused.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from contracts.errors import PermanentError
from contracts.tls import TRUST_DOMAIN, Renewed, Tls, TlsError
from contracts.topics import owner_of

SIGNATURE, TIME, CERTIFICATES = HEADERS = ("signature", "signature_time", "signature_certificates")
_DOMAIN = b"longitude event v1"
_ALGORITHM = ec.ECDSA(hashes.SHA256())
# Characters of the certificates, and certificates of which it is known whose they are.
_MAX_CERTIFICATES, _KNOWN = 16 * 1024, 1024

# Of what stands in a certificate.
_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)


class SignatureError(PermanentError):
    """A record that its topic's owner did not sign; the text says why."""


class UnsignedError(SignatureError):
    """Nobody signed it."""

    kind = "unsigned"


class WronglySignedError(SignatureError):
    """Somebody else signed it, or something else."""

    kind = "wrongly-signed"


class Signer:
    """Signs with the key of this process; a renewed one at the next event."""

    def __init__(self, tls: Tls) -> None:
        """TlsError where the key is none that events are signed with."""
        self._files = Renewed(tls, partial(_key, tls))

    @classmethod
    def of(cls, variables: Mapping[str, str] = os.environ) -> Self | None:
        """As the variables say; None where they name plain text. TlsError: a file is not there, or is not fit."""
        tls = Tls.of(variables)
        return cls(tls) if tls else None

    def headers(self, topic: str, key: bytes, headers: Mapping[str, str], value: bytes) -> dict[str, str]:
        """What goes beside the other headers of a record."""
        private, certificates = self._files.current()
        time = datetime.now(UTC).isoformat()
        signature = private.sign(_signed(topic, key, headers, time, value), _ALGORITHM)
        return {SIGNATURE: base64.b64encode(signature).decode(), TIME: time, CERTIFICATES: certificates}


@dataclass(frozen=True, slots=True)
class _Writer:
    """Whose certificate it is, and from when to when."""

    name: str
    key: ec.EllipticCurvePublicKey
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class _Trust:
    """The authority, and the certificates that were found to be of it."""

    store: Store
    known: dict[str, _Writer] = field(default_factory=dict)


class Verifier:
    """Says who signed a record, by the authority of this process."""

    def __init__(self, tls: Tls) -> None:
        self._trust = Renewed(tls, partial(_trust, tls))

    @classmethod
    def of(cls, variables: Mapping[str, str] = os.environ) -> Self | None:
        """As the variables say; None where they name plain text, and nobody is to look. TlsError: no such file."""
        tls = Tls.of(variables)
        return cls(tls) if tls else None

    def require(self, topic: str, key: bytes, headers: Mapping[str, str], value: bytes) -> str:
        """The topic's owner, who signed it. UnsignedError, WronglySignedError where it did not."""
        name = self.signer(topic, key, headers, value)
        if name != owner_of(topic):
            raise WronglySignedError(f"signed by {name}, who may not write {topic}")
        return name

    def signer(self, topic: str, key: bytes, headers: Mapping[str, str], value: bytes) -> str:
        """The name of the process that signed exactly this. UnsignedError; WronglySignedError: nobody did."""
        if not headers.get(SIGNATURE):
            raise UnsignedError("the record has no signature")
        certificates, time = headers.get(CERTIFICATES, ""), headers.get(TIME, "")
        try:
            at, signature = datetime.fromisoformat(time), base64.b64decode(headers[SIGNATURE], validate=True)
            writer = self._writer(certificates, at)
            is_valid = writer.begins <= at <= writer.ends
        except (ValueError, TypeError, OverflowError):
            raise WronglySignedError("the signature, its time or its certificates cannot be read") from None
        if not is_valid:
            raise WronglySignedError(f"the certificate of {writer.name} was not valid when it signed")
        try:
            writer.key.verify(signature, _signed(topic, key, headers, time, value), _ALGORITHM)
        except InvalidSignature:
            raise WronglySignedError(f"it is not what {writer.name} signed") from None
        return writer.name

    def _writer(self, certificates: str, at: datetime) -> _Writer:
        trust = self._trust.current()
        writer = trust.known.get(certificates)
        if writer is None:
            writer = _verified(certificates, at, trust.store)
            if len(trust.known) >= _KNOWN:
                trust.known.clear()
            trust.known[certificates] = writer
        return writer


def _key(tls: Tls) -> tuple[ec.EllipticCurvePrivateKey, str]:
    """The private key, and the certificates as the header has them."""
    try:
        private = load_pem_private_key(tls.key.read_bytes(), None)
        chain = x509.load_pem_x509_certificates(tls.certificate.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TlsError(f"{tls.key}, {tls.certificate}: cannot be read (PEM, without a password)") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise TlsError(f"{tls.key}: events are signed with keys on the curve P-256")
    return private, ",".join(base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain)


def _trust(tls: Tls) -> _Trust:
    return _Trust(Store(x509.load_pem_x509_certificates(tls.authority.read_bytes())))


def _verified(certificates: str, at: datetime, store: Store) -> _Writer:
    """WronglySignedError unless they lead to the authority. ValueError where they are none."""
    if len(certificates) > _MAX_CERTIFICATES:
        raise WronglySignedError("the certificates are too long")
    try:
        leaf, *others = [
            x509.load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in certificates.split(",")
        ]
        chain = PolicyBuilder().store(store).time(at).build_client_verifier().verify(leaf, others).chain
        key = leaf.public_key()
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except VerificationError:
        raise WronglySignedError("its certificate is not of our authority, or was not valid when it signed") from None
    except _UNREADABLE:
        raise WronglySignedError("the certificates cannot be read") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1 or not uris[0].startswith(TRUST_DOMAIN) or not isinstance(key, ec.EllipticCurvePublicKey):
        raise WronglySignedError("its certificate names no process")
    begins, ends = (max(each.not_valid_before_utc for each in chain), min(each.not_valid_after_utc for each in chain))
    return _Writer(uris[0].removeprefix(TRUST_DOMAIN), key, begins, ends)


def _signed(topic: str, key: bytes, headers: Mapping[str, str], time: str, value: bytes) -> bytes:
    said = sorted((name, text) for name, text in headers.items() if name.startswith("ce_") or name == "content-type")
    texts = (topic, time, *(text for pair in said for text in pair))
    parts = (_DOMAIN, key, hashlib.sha256(value).digest(), *(text.encode("utf-8", "surrogatepass") for text in texts))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
