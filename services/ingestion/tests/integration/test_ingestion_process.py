"""The process as it is deployed: `python -m ingestion`, its pages, its sockets, TLS, and its end."""

import asyncio
import json
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_health.v1 import health_pb2, health_pb2_grpc
from testkit import MllpClient
from testkit.calls import channel

MESSAGE = (
    b"MSH|^~\\&|A|B|C|D|20240101||ADT^A08|PROC1|P|2.5.1\r"
    b"PID|1||SECRETID^^^NORTH^MR||Secretfamily^Secretgiven||19600102|F\rAL1|1||^SecretAllergen\r"
)


Launch = Callable[..., AbstractContextManager[Any]]


async def test_the_process_takes_messages_tells_its_health_and_ends_in_order(launch: Launch) -> None:
    with launch() as running:
        async with MllpClient(running.address("MLLP_LISTEN")) as client:
            assert b"MSA|AA|PROC1" in await client.send(MESSAGE)
        async with channel(running.address("GRPC_LISTEN")) as opened:
            health = await health_pb2_grpc.HealthStub(opened).Check(health_pb2.HealthCheckRequest())
        metrics = running.page("/metrics")[1]
        running.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.process.wait, 30) == 0
        log = running.log.read_text()
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert 'ingestion_messages_total{acknowledgement="AA",message_code="ADT"} 1.0' in metrics
    assert "ingestion_acknowledge_seconds_count" in metrics
    assert all(json.loads(line) for line in log.splitlines())
    assert "Secret" not in log + metrics
    assert "SECRET" not in log + metrics


def certificate(
    folder: Path, name: str, issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None = None
) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    """`<name>.pem` and `<name>.key`; self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = issuer or (subject, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    )
    return subject, key


def send_over_tls(port: int, context: ssl.SSLContext) -> bytes:
    """The answer; nothing when the listener ends the connection."""
    with (
        suppress(ssl.SSLError, ConnectionError),
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"\x0b" + MESSAGE + b"\x1c\r")
        return secured.recv(4096)
    return b""


async def test_with_a_client_authority_only_its_senders_are_served(launch: Launch, tmp_path: Path) -> None:
    authority = certificate(tmp_path, "authority")
    certificate(tmp_path, "server", authority)
    certificate(tmp_path, "sender", authority)
    certificate(tmp_path, "stranger")
    settings = {
        "MLLP_TLS_CERTIFICATE": str(tmp_path / "server.pem"),
        "MLLP_TLS_KEY": str(tmp_path / "server.key"),
        "MLLP_TLS_CLIENT_AUTHORITY": str(tmp_path / "authority.pem"),
    }
    with launch(**settings) as running:
        port = running.ports["MLLP_LISTEN"]
        contexts = {}
        for name in ("sender", "stranger"):
            contexts[name] = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
            contexts[name].load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        answer = await asyncio.to_thread(send_over_tls, port, contexts["sender"])
        refused = await asyncio.to_thread(send_over_tls, port, contexts["stranger"])
    assert b"MSA|AA|PROC1" in answer
    assert refused == b""
