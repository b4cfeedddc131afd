import asyncio
from collections.abc import AsyncIterator

import pytest
from testkit import MllpClient
from testkit.mllp import frame


@pytest.fixture
async def listener() -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (data := await reader.read(65_536)).startswith(b"\x0b"):
            writer.write(frame(b"ack of " + data.strip(b"\x0b\x1c\r")))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_a_message_goes_out_in_a_frame_and_the_answer_comes_back_without_one(listener: str) -> None:
    async with MllpClient(listener) as client:
        assert await client.send(b"one") == b"ack of one"
        assert await client.send(b"two") == b"ack of two"


async def test_bytes_outside_of_a_frame_go_out_as_they_are(listener: str) -> None:
    async with MllpClient(listener) as client:
        await client.write(b"no start block")
        assert await client.closed_by_peer()


async def test_a_silent_listener_is_not_waited_for_for_ever(listener: str) -> None:
    async with MllpClient(listener, timeout_s=0.1) as client:
        with pytest.raises(TimeoutError):
            await client.read()
