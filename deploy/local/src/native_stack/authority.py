"""The stack's own certificate authority: a certificate for each part and for the command.

`issue` makes what is not there or near its end. Each holder has two files, `NAME.pem` and `NAME.key`; the authority's
are `authority.pem`, which all trust, and `authority.key`. Keys are EC P-256 (PKCS #8), readable by their owner only.
Names follow SPIFFE (X.509-SVID): one URI, `spiffe://longitude/NAME`, beside localhost, 127.0.0.1 and the bare name, by
which containers of one network find each other.
"""

import fcntl
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.tls import TRUST_DOMAIN
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from native_stack.part import write_private

_AUTHORITY = "authority"
_AUTHORITY_DAYS, _DAYS = 3650, 90
# Clocks differ.
_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Signer:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def issue(folder: Path, names: Iterable[str]) -> None:
    """A certificate in `folder` for each name, from the authority there; those that have long to go are kept."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        signer, new = _authority(folder)
        for name in names:
            if new or not _lasts(folder / f"{name}.pem"):
                _issue(folder, name, signer)


def settings(folder: Path, name: str) -> dict[str, str]:
    """The LONGITUDE_TLS_* variables of the holder."""
    files = {"CERTIFICATE": f"{name}.pem", "KEY": f"{name}.key", "AUTHORITY": f"{_AUTHORITY}.pem"}
    return {f"LONGITUDE_TLS_{which}": str(folder / file) for which, file in files.items()}


def _authority(folder: Path) -> tuple[_Signer, bool]:
    """The authority, and whether it is new: then everything from the one before is worth nothing."""
    key_file, file = folder / f"{_AUTHORITY}.key", folder / f"{_AUTHORITY}.pem"
    if key_file.exists() and _lasts(file):
        key = load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return _Signer(key, x509.load_pem_x509_certificate(file.read_bytes())), False
    key, name = ec.generate_private_key(ec.SECP256R1()), _subject("Longitude local stack")
    usage = x509.KeyUsage(**_USES | {"key_cert_sign": True, "crl_sign": True})
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    builder = _builder(key, name, name, _AUTHORITY_DAYS).add_extension(constraints, critical=True)
    certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    _write(folder, _AUTHORITY, key, certificate)
    return _Signer(key, certificate), True


def _issue(folder: Path, name: str, signer: _Signer) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    uri = x509.UniformResourceIdentifier(f"{TRUST_DOMAIN}{name}")
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    names = x509.SubjectAlternativeName([uri, x509.DNSName("localhost"), x509.DNSName(name), address])
    usage = x509.KeyUsage(**_USES | {"digital_signature": True})
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    builder = _builder(key, _subject(name), signer.certificate.subject, _DAYS).add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True).add_extension(purposes, critical=False)
    _write(folder, name, key, builder.add_extension(signed_by, critical=False).sign(signer.key, hashes.SHA256()))


_USES = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name, days: int
) -> x509.CertificateBuilder:
    now, public = datetime.now(UTC), key.public_key()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _BEFORE).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _lasts(file: Path) -> bool:
    """Whether the certificate is there and more than a third of its life is left."""
    if not file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    begun, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - datetime.now(UTC) > (end - begun) / 3


def _write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(folder / f"{name}.key", secret.decode())
    write_private(folder / f"{name}.pem", certificate.public_bytes(Encoding.PEM).decode())
