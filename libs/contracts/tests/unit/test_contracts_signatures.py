"""Who wrote an event: only what the topic's owner signed passes, whichever of its keys it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contracts import signatures
from contracts.signatures import CERTIFICATES, SIGNATURE, TIME, Signer, UnsignedError, Verifier, WronglySignedError
from contracts.tls import Tls, TlsError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from native_stack import authority

TOPIC, KEY, VALUE = "ingestion.message-received.v1", b"k", b"value"
HEADERS = {"ce_id": "1", "ce_type": "t", "ce_time": "2026-01-01T00:00:00+00:00", "content-type": "application/protobuf"}
Identity = Callable[[str], Tls]


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    def of(name: str) -> Tls:
        authority.issue(tmp_path, [name])
        tls = Tls.of(authority.settings(tmp_path, name))
        assert tls is not None
        return tls

    return of


def signed(tls: Tls, value: bytes = VALUE) -> dict[str, str]:
    return HEADERS | Signer(tls).headers(TOPIC, KEY, HEADERS, value)


def test_what_the_owner_signed_passes_and_says_who(identity: Identity) -> None:
    verifier = Verifier(identity("memory"))
    assert verifier.require(TOPIC, KEY, signed(identity("ingestion")) | {"traceparent": "00-of-somebody"}, VALUE) == (
        "ingestion"
    )


def test_what_nobody_signed_does_not_pass(identity: Identity) -> None:
    with pytest.raises(UnsignedError):
        Verifier(identity("memory")).require(TOPIC, KEY, HEADERS, VALUE)


def test_what_another_service_signed_does_not_pass_and_is_named(identity: Identity) -> None:
    with pytest.raises(WronglySignedError, match=f"signed by learning, who may not write {TOPIC}"):
        Verifier(identity("memory")).require(TOPIC, KEY, signed(identity("learning")), VALUE)


@pytest.mark.parametrize(
    "changed",
    [
        {"topic": "ingestion.message-rejected.v1"},
        {"key": b"other"},
        {"value": b"other"},
        {"headers": {"ce_id": "2"}},
        {"headers": {"ce_time": "2020-01-01T00:00:00+00:00"}},
        {"headers": {"ce_causationid": "added"}},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {TIME: datetime.now(UTC).isoformat()}},
        {"headers": {SIGNATURE: "AAAA"}},
        {"headers": {SIGNATURE: "no base64"}},
        {"headers": {TIME: "yesterday"}},
        {"headers": {TIME: "2026-11-29T00:00:00"}},
        {"headers": {CERTIFICATES: ""}},
        {"headers": {CERTIFICATES: "AAAA"}},
        {"headers": {CERTIFICATES: "A" * 20_000}},
    ],
)
def test_what_was_altered_does_not_pass(identity: Identity, changed: dict[str, Any]) -> None:
    verifier, headers = Verifier(identity("memory")), signed(identity("ingestion"))
    record: dict[str, Any] = {"topic": TOPIC, "key": KEY, "headers": headers, "value": VALUE}
    assert verifier.signer(**record) == "ingestion"
    touched = changed | ({"headers": headers | changed["headers"]} if "headers" in changed else {})
    with pytest.raises(WronglySignedError):
        verifier.signer(**record | touched)


def test_words_do_not_move_between_headers(identity: Identity) -> None:
    verifier = Verifier(identity("memory"))
    headers = {"ce_a": "bc", "ce_ab": "c"} | Signer(identity("ingestion")).headers(
        TOPIC, KEY, {"ce_a": "bc", "ce_ab": "c"}, VALUE
    )
    with pytest.raises(WronglySignedError):
        verifier.signer(TOPIC, KEY, headers | {"ce_a": "b", "ce_ab": "cc"}, VALUE)


def test_a_certificate_of_another_authority_does_not_pass(identity: Identity, tmp_path: Path) -> None:
    verifier = Verifier(identity("memory"))
    authority.issue(tmp_path / "other", ["ingestion"])
    stranger = Tls.of(authority.settings(tmp_path / "other", "ingestion"))
    assert stranger is not None
    with pytest.raises(WronglySignedError, match="authority"):
        verifier.require(TOPIC, KEY, signed(stranger), VALUE)


def test_the_key_of_one_service_does_not_sign_under_the_certificate_of_another(identity: Identity) -> None:
    verifier = Verifier(identity("memory"))
    theirs = signed(identity("learning")) | {CERTIFICATES: signed(identity("ingestion"))[CERTIFICATES]}
    with pytest.raises(WronglySignedError, match="not what ingestion signed"):
        verifier.require(TOPIC, KEY, theirs, VALUE)


def test_what_an_older_key_signed_stays_verifiable_and_the_newer_one_signs(identity: Identity, tmp_path: Path) -> None:
    verifier, tls = Verifier(identity("memory")), identity("ingestion")
    signer = Signer(tls)
    old = HEADERS | signer.headers(TOPIC, KEY, HEADERS, VALUE)
    (tmp_path / "ingestion.pem").unlink()
    identity("ingestion")
    new = HEADERS | signer.headers(TOPIC, KEY, HEADERS, VALUE)
    assert new[CERTIFICATES] != old[CERTIFICATES]
    assert [verifier.require(TOPIC, KEY, each, VALUE) for each in (old, new, old)] == ["ingestion"] * 3


@pytest.mark.parametrize("days", [-1, 91])
def test_a_certificate_signs_only_while_it_is_valid(
    identity: Identity, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the verifier knows the certificate, and after."""
    verifier, tls = Verifier(identity("memory")), identity("ingestion")

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003 - its signature
            return datetime.now(UTC) + timedelta(days=days)

    with monkeypatch.context() as patched:
        patched.setattr(signatures, "datetime", Clock)
        late = signed(tls)
    with pytest.raises(WronglySignedError, match="valid"):
        verifier.require(TOPIC, KEY, late, VALUE)
    verifier.require(TOPIC, KEY, signed(tls), VALUE)
    with pytest.raises(WronglySignedError, match="valid"):
        verifier.require(TOPIC, KEY, late, VALUE)


@pytest.mark.parametrize("kind", ["rsa", "p384"])
def test_a_key_that_signs_no_events_is_refused_at_the_start(identity: Identity, kind: str) -> None:
    tls = identity("ingestion")
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
        rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP384R1())
    )
    tls.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(TlsError, match="P-256"):
        Signer(tls)


def test_how_many_bytes_a_signature_is(identity: Identity) -> None:
    """What the README says of it."""
    headers = Signer(identity("ingestion")).headers(TOPIC, KEY, HEADERS, VALUE)
    assert 700 < sum(len(name) + len(text) for name, text in headers.items()) < 950
