"""How memory connects to a Qdrant server. None can be had here: a TLS listener in its place tells what it was shown."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from contracts.errors import UnavailableError
from memory.adapters.qdrant_server import QdrantServer
from memory.settings import Settings
from native_stack import authority
from pydantic import ValidationError

Heard = list[tuple[str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This process is memory."""
    authority.issue(tmp_path, ["memory", "qdrant"])
    with monkeypatch.context() as patched:
        for name, value in authority.settings(tmp_path, "memory").items():
            patched.setenv(name, value)
        yield tmp_path


@asynccontextmanager
async def listener(folder: Path, heard: Heard) -> AsyncIterator[str]:
    """Notes the name in each caller's certificate and its API key, and answers nothing of use."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "authority.pem")
    context.load_cert_chain(folder / "qdrant.pem", folder / "qdrant.key")
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        names = dict(pair[0] for pair in writer.get_extra_info("peercert")["subject"])
        key = next((line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("api-key: ")), "")
        heard.append((names["commonName"], key))
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_memory_shows_its_certificate_and_its_key(folder: Path) -> None:
    heard: Heard = []
    async with listener(folder, heard) as url, QdrantServer.connect(url, "a key") as index:
        with pytest.raises(UnavailableError):
            await index.count("notes")
    assert heard == [("memory", "a key")]


async def test_a_server_of_another_authority_is_told_nothing(folder: Path, tmp_path: Path) -> None:
    heard: Heard = []
    authority.issue(tmp_path / "other", ["qdrant"])
    async with listener(tmp_path / "other", heard) as url, QdrantServer.connect(url, "a key") as index:
        with pytest.raises(UnavailableError):
            await index.count("notes")
    assert heard == []


def test_plain_text_is_refused_where_no_setting_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "kafka": "127.0.0.1:9092",
        "postgres": "postgresql://memory_service@127.0.0.1/longitude",
        "triton": "127.0.0.1:8001",
        "grpc_listen": "127.0.0.1:0",
        "http_listen": "127.0.0.1:0",
        "qdrant": "http://127.0.0.1:6333",
    }
    with pytest.raises(ValidationError, match="LONGITUDE_QDRANT_PLAINTEXT=true does without TLS"):
        Settings.model_validate(told)
    monkeypatch.setenv("LONGITUDE_QDRANT_PLAINTEXT", "true")
    assert Settings.model_validate(told).vectors == "http://127.0.0.1:6333"
