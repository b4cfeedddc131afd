"""The proxy's faults, seen by a real client on a real socket."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from testkit import FaultProxy, Line

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


@pytest.fixture
async def proxy(echo: str) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(echo) as made:
        yield made


async def connect(proxy: FaultProxy | Line) -> Streams:
    host, _, port = proxy.endpoint.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def ask(streams: Streams, text: bytes = b"hello") -> bytes:
    reader, writer = streams
    writer.write(text)
    await writer.drain()
    async with asyncio.timeout(5):
        return await reader.readexactly(len(text))


async def gone(streams: Streams) -> bool:
    try:
        async with asyncio.timeout(5):
            return await streams[0].read(1) == b""
    except ConnectionError:
        return True


async def test_bytes_pass_unchanged_and_so_does_the_end(proxy: FaultProxy) -> None:
    streams = await connect(proxy)
    large = bytes(range(256)) * 4096
    assert (await asyncio.gather(ask(streams, large)))[0] == large
    streams[1].write_eof()
    assert await gone(streams)


async def test_a_stall_holds_every_byte_until_it_forwards_again(proxy: FaultProxy) -> None:
    streams = await connect(proxy)
    await ask(streams)
    proxy.stall()
    late = asyncio.create_task(ask(streams, b"late"))
    await asyncio.sleep(0.2)
    assert not late.done()
    proxy.forward()
    assert await late == b"late"


async def test_what_a_stalled_connection_holds_is_bounded(proxy: FaultProxy) -> None:
    proxy.stall()
    _, writer = await connect(proxy)
    writer.write(b"x" * 2**26)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await writer.drain()
    writer.transport.abort()


async def test_a_cut_resets_open_connections_and_serves_new_ones(proxy: FaultProxy) -> None:
    streams = await connect(proxy)
    await ask(streams)
    await proxy.cut()
    assert await gone(streams)
    assert proxy.connections == 0
    assert await ask(await connect(proxy)) == b"hello"


async def test_refusing_lasts_until_it_forwards_again(proxy: FaultProxy) -> None:
    await proxy.refuse()
    assert await gone(await connect(proxy))
    proxy.forward()
    assert await ask(await connect(proxy)) == b"hello"


async def test_an_upstream_that_is_down_looks_down() -> None:
    async with FaultProxy("127.0.0.1:1") as proxy:
        assert await gone(await connect(proxy))


async def test_a_stalled_connection_can_still_be_cut(proxy: FaultProxy) -> None:
    streams = await connect(proxy)
    await ask(streams)
    proxy.stall()
    streams[1].write(b"held")
    await proxy.cut()
    assert await gone(streams)


async def test_a_line_that_is_cut_is_gone_for_everybody_until_it_is_mended(echo: str) -> None:
    with Line(echo) as line:
        streams = await connect(line)
        assert await ask(streams) == b"hello"
        line.cut()
        assert await gone(streams)
        assert await gone(await connect(line))
        line.mend()
        assert await ask(await connect(line)) == b"hello"
