"""Mutual TLS between a server and a client of this process; the probe is the health service."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from contracts.tls import Tls, open_channel
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from native_stack import authority
from servicekit.grpc import channel, server
from testkit.calls import tls

SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
def address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


async def health(opened: grpc.aio.Channel) -> int:
    answer = await health_pb2_grpc.HealthStub(opened).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return int(answer.status)


async def refused(opened: grpc.aio.Channel) -> bool:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await health(opened)
    return error.value.code() is grpc.StatusCode.UNAVAILABLE


def held(folder: Path, name: str) -> Tls:
    authority.issue(folder, [name])
    made = Tls.of(authority.settings(folder, name))
    assert made is not None
    return made


def use(files: Tls, monkeypatch: pytest.MonkeyPatch) -> Tls:
    """This process shows itself with these files."""
    for name in ("certificate", "key", "authority"):
        monkeypatch.setenv(f"LONGITUDE_TLS_{name.upper()}", str(getattr(files, name)))
    return files


async def test_processes_of_one_authority_speak_and_nobody_else_does(address: str, tmp_path: Path) -> None:
    stranger = held(tmp_path / "other", "command")
    half = grpc.ssl_channel_credentials(tls().authority.read_bytes())
    async with server(address, [], 1.0):
        async with channel(address) as opened:
            assert await health(opened) == SERVING
        async with grpc.aio.insecure_channel(address) as plain, grpc.aio.secure_channel(address, half) as nameless:
            assert await refused(plain)
            assert await refused(nameless)
        async with open_channel(address, stranger) as opened:
            assert await refused(opened)
        mixed = Tls(stranger.certificate, stranger.key, tls().authority)
        async with open_channel(address, mixed) as opened:
            assert await refused(opened)


async def test_plain_text_is_spoken_where_the_setting_names_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_PLAINTEXT", "true")
    async with server(address, [], 1.0), channel(address) as opened:
        assert await health(opened) == SERVING
    monkeypatch.delenv("LONGITUDE_PLAINTEXT")
    monkeypatch.delenv("LONGITUDE_TLS_KEY")
    with pytest.raises(Exception, match="LONGITUDE_TLS_KEY: must name a file"):
        async with channel(address):
            pass


@pytest.fixture
def renewed(tmp_path: Path) -> Callable[[], Tls]:
    """Call it for the files, and again for those of a new authority under the same names."""
    place = tmp_path / "place"

    def renew() -> Tls:
        fresh = tmp_path / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        authority.issue(fresh, ["memory"])
        shutil.copytree(fresh, place, dirs_exist_ok=True)
        return held(place, "memory")

    return renew


async def test_renewed_certificates_are_used_without_a_restart(
    address: str, renewed: Callable[[], Tls], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = use(renewed(), monkeypatch)
    async with server(address, [], 1.0), channel(address) as kept:
        before = files.client()
        assert await health(kept) == SERVING
        renewed()
        assert await health(kept) == SERVING
        async with grpc.aio.secure_channel(address, before) as outdated:
            assert await refused(outdated)


async def test_while_files_do_not_fit_together_the_last_ones_stay(
    address: str, renewed: Callable[[], Tls], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = use(renewed(), monkeypatch)
    async with server(address, [], 1.0), channel(address) as kept:
        whole = files.key.read_bytes()
        for damaged in (whole[:40], held(files.key.parent, "other").key.read_bytes()):
            files.key.write_bytes(damaged)
            assert await health(kept) == SERVING
        files.key.unlink()
        assert await health(kept) == SERVING


async def test_a_certificate_names_its_process_once(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(held(tmp_path, "memory").certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://longitude/memory"]
