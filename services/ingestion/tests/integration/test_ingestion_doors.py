"""Who holds places or bytes never locks out who comes: real sockets, peers told apart by their loopback address."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import datetime

import pytest
from contracts.mllp import frame
from ingestion.adapters import dicom, mllp
from ingestion.adapters.doors import Door, Place, Quotas
from ingestion.domain.dicom import ReceivedInstance
from ingestion.domain.mllp import Frame, Received
from ingestion.metrics import CLOSED, TURNED_AWAY
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from testkit import bombs
from testkit.memory import peak_of

MIB = 1024 * 1024
HOLDER, SECOND, NEWCOMER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
VERIFICATION = "1.2.840.10008.1.1"
QUOTAS = Quotas(places=128, peer_places=120, held_bytes=8 * MIB, peer_held_bytes=4 * MIB, crowded_idle=0.5)


def mllp_limits(quotas: Quotas = QUOTAS, peer_bytes: int = 4 * MIB) -> mllp.ConnectionLimits:
    return mllp.ConnectionLimits(2 * MIB, 20.0, 60.0, 600.0, 10.0, quotas, 64, 8 * MIB, peer_bytes)


async def echo(received: Received, _: datetime) -> list[bytes]:
    return [frame(received.payload if isinstance(received, Frame) else b"broken")]


Handle = Callable[[Received, datetime], Awaitable[list[bytes]]]


@asynccontextmanager
async def listening(handle: Handle = echo, limits: mllp.ConnectionLimits | None = None) -> AsyncIterator[int]:
    async with mllp.MllpListener(handle, limits or mllp_limits()).listening("127.0.0.1", 0) as port:
        yield port


async def connect(port: int, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0), limit=8 * MIB)


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], payload: bytes) -> bytes:
    """What comes back; empty where the connection was closed."""
    reader, writer = connection
    with suppress(ConnectionError):
        writer.write(frame(payload))
        return await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)
    return b""


async def is_closed(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
    try:
        return await asyncio.wait_for(connection[0].read(1), 20) == b""
    except ConnectionError:
        return True


async def test_130_idle_connections_lock_nobody_out() -> None:
    async with listening() as port:
        idle = [await connect(port, address) for address in [HOLDER] * 115 + [SECOND] * 15]
        newcomer = await connect(port, NEWCOMER)
        assert await ask(newcomer, b"MSH|newcomer") == frame(b"MSH|newcomer")
        # The newcomer's place was the oldest connection's of the peer that has most.
        assert await is_closed(idle[0])
        assert await ask(idle[129], b"MSH|few") == frame(b"MSH|few")


async def test_a_peer_over_its_quota_is_turned_away_and_the_others_are_not() -> None:
    quotas = Quotas(8, 3, MIB, MIB, crowded_idle=60.0)
    before = TURNED_AWAY.labels("mllp", "quota of its peer")._value.get()
    async with listening(limits=mllp_limits(quotas)) as port:
        kept = [await connect(port, HOLDER) for _ in range(3)]
        for connection in kept:
            assert await ask(connection, b"MSH|1")
        assert await is_closed(await connect(port, HOLDER))
        assert await ask(await connect(port, NEWCOMER), b"MSH|2") == frame(b"MSH|2")
        for connection in kept:
            assert await ask(connection, b"MSH|3") == frame(b"MSH|3")
    assert TURNED_AWAY.labels("mllp", "quota of its peer")._value.get() == before + 1


async def test_a_peer_that_comes_again_takes_the_place_of_its_own_silent_connection() -> None:
    quotas = Quotas(8, 2, MIB, MIB, crowded_idle=0.2)
    async with listening(limits=mllp_limits(quotas)) as port:
        old = [await connect(port, HOLDER) for _ in range(2)]
        await asyncio.sleep(0.4)
        assert await ask(await connect(port, HOLDER), b"MSH|again") == frame(b"MSH|again")
        assert await is_closed(old[0])


async def test_a_connection_whose_message_is_being_answered_is_never_closed_for_another() -> None:
    working, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(received: Received, at: datetime) -> list[bytes]:
        working.release()
        await go_on.wait()
        return await echo(received, at)

    async with listening(slow, mllp_limits(Quotas(4, 4, MIB, MIB, crowded_idle=0.01))) as port:
        busy = [await connect(port, HOLDER) for _ in range(4)]
        answers = [asyncio.create_task(ask(connection, b"MSH|work")) for connection in busy]
        for _ in busy:
            await working.acquire()
        await asyncio.sleep(0.1)
        assert await is_closed(await connect(port, NEWCOMER))
        go_on.set()
        assert await asyncio.gather(*answers) == [frame(b"MSH|work")] * 4


async def test_frames_that_never_end_fill_no_more_than_the_share_of_their_peer() -> None:
    before = CLOSED.labels("mllp", "bytes of its peer")._value.get()

    async def drip(port: int) -> None:
        reader, writer = await connect(port, HOLDER)
        with suppress(ConnectionError):
            writer.write(b"\x0b" + b"MSH|" + b"x" * (MIB + MIB // 2))
            await writer.drain()
            await reader.read(1)

    async with listening() as port:
        dripping = [asyncio.create_task(drip(port)) for _ in range(20)]
        while CLOSED.labels("mllp", "bytes of its peer")._value.get() < before + 18:
            await asyncio.sleep(0.05)
        assert await ask(await connect(port, NEWCOMER), b"MSH|" + b"y" * MIB) == frame(b"MSH|" + b"y" * MIB)
        for task in dripping:
            task.cancel()


async def test_a_peer_that_has_used_up_its_bytes_waits_and_the_others_do_not() -> None:
    go_on, begun = asyncio.Event(), 0

    async def slow(received: Received, at: datetime) -> list[bytes]:
        nonlocal begun
        if isinstance(received, Frame) and received.payload.startswith(b"MSH|slow"):
            begun += 1
            await go_on.wait()
        return await echo(received, at)

    async with listening(slow, mllp_limits(peer_bytes=2 * MIB)) as port:
        connections = [await connect(port, HOLDER) for _ in range(4)]
        held = [asyncio.create_task(ask(each, b"MSH|slow" + b"x" * MIB)) for each in connections]
        while not begun:
            await asyncio.sleep(0.02)
        assert await ask(await connect(port, NEWCOMER), b"MSH|quick") == frame(b"MSH|quick")
        assert begun < 4
        go_on.set()
        assert all(await asyncio.gather(*held))


async def store(_: ReceivedInstance) -> tuple[int, str]:
    return 0x0000, ""


@asynccontextmanager
async def storing(
    quotas: Quotas, handle: Callable[[ReceivedInstance], Awaitable[tuple[int, str]]] = store
) -> AsyncIterator[int]:
    limits = dicom.AssociationLimits(instance_bytes=4 * MIB, quotas=quotas, network=20.0, handling=20.0)
    async with dicom.DicomListener(handle, limits).listening("127.0.0.1", 0) as port:
        yield port


def associate(port: int, address: str) -> Association:
    entity = AE(ae_title="MODALITY")
    entity.add_requested_context(VERIFICATION)
    entity.add_requested_context(ComputedRadiographyImageStorage, ExplicitVRLittleEndian)
    return entity.associate("127.0.0.1", port, bind_address=(address, 0))


def echoed(association: Association) -> bool:
    answer = association.send_c_echo() if association.is_established else Dataset()
    return "Status" in answer and answer.Status == 0x0000


async def test_10_idle_associations_lock_nobody_out() -> None:
    def script(port: int) -> tuple[bool, int]:
        idle = [associate(port, HOLDER) for _ in range(10)]
        assert all(echoed(each) for each in idle)
        newcomer = associate(port, NEWCOMER)
        answered = echoed(newcomer)
        standing = sum(echoed(each) for each in idle)
        for each in [*idle, newcomer]:
            each.abort()
        return answered, standing

    async with storing(Quotas(10, 10, 64 * MIB, 32 * MIB, crowded_idle=60.0)) as port:
        assert await asyncio.to_thread(script, port) == (True, 9)


async def test_sockets_that_never_associate_lock_nobody_out() -> None:
    def script(port: int) -> bool:
        with ExitStack() as stack:
            for _ in range(30):
                silent = socket.create_connection(("127.0.0.1", port), 20, (HOLDER, 0))
                stack.enter_context(silent)
            newcomer = associate(port, NEWCOMER)
            answered = echoed(newcomer)
            newcomer.abort()
            return answered

    async with storing(Quotas(10, 8, 64 * MIB, 32 * MIB, crowded_idle=60.0)) as port:
        assert await asyncio.to_thread(script, port)


async def test_an_association_over_its_peers_quota_is_rejected_as_local_limit_exceeded() -> None:
    def script(port: int) -> tuple[bool, tuple[int | None, ...], bool]:
        kept = [associate(port, HOLDER) for _ in range(3)]
        refused = associate(port, HOLDER)
        answer = refused.acceptor.primitive
        assert answer is not None
        code = (answer.result, answer.result_source, answer.diagnostic)
        other = associate(port, NEWCOMER)
        answered = echoed(other)
        for each in [*kept, other]:
            each.abort()
        return refused.is_rejected, code, answered

    async with storing(Quotas(10, 3, 64 * MIB, 32 * MIB, crowded_idle=60.0)) as port:
        assert await asyncio.to_thread(script, port) == (True, (2, 3, 2), True)


async def test_a_peer_whose_instances_fill_its_share_is_cut_off_and_the_others_are_stored() -> None:
    released = asyncio.Event()

    async def slow(instance: ReceivedInstance) -> tuple[int, str]:
        if len(instance.data) > MIB:
            await released.wait()
        return 0x0000, ""

    def send(port: int, address: str, size: int) -> int:
        association = associate(port, address)
        dataset = bombs.instance()
        dataset.file_meta = bombs.meta(dataset, ExplicitVRLittleEndian)
        dataset.PixelData = bytes(size)
        dataset["PixelData"].VR = "OB"
        answer = association.send_c_store(dataset)
        association.abort()
        return int(answer.Status) if "Status" in answer else -1

    async with storing(Quotas(10, 8, 64 * MIB, 5 * MIB, crowded_idle=60.0), slow) as port:
        sent = [asyncio.create_task(asyncio.to_thread(send, port, HOLDER, 2 * MIB)) for _ in range(3)]
        while not any(each.done() for each in sent):
            await asyncio.sleep(0.05)
        assert await asyncio.to_thread(send, port, NEWCOMER, 64 * 1024) == 0x0000
        released.set()
        assert sorted(await asyncio.gather(*sent)) == [-1, 0, 0]


def test_of_equals_nobody_is_closed_before_it_is_silent_for_long() -> None:
    door = Door("test", Quotas(2, 2, MIB, MIB, crowded_idle=60.0))
    closed: list[str] = []
    first = door.enter("a", lambda: closed.append("a"))
    second = door.enter("b", lambda: closed.append("b"))
    assert isinstance(first, Place)
    assert door.enter("c", lambda: None) is None
    assert second is not None
    second.heard_at -= 61
    assert door.enter("c", lambda: None) is not None
    assert closed == ["b"]


def test_whatever_comes_and_goes_the_doors_account_comes_out_even() -> None:
    door = Door("test", Quotas(3, 2, 100, 60, crowded_idle=0.0))
    places = [door.enter(peer, lambda: None) for peer in "aabbccab"]
    for place in places:
        if place is not None:
            place.hear(50)
            place.leave()
            place.leave()
    assert len(door) == 0


def test_many_unfinished_frames_stay_within_the_bytes_of_all() -> None:
    """Fifty peers with almost a whole frame each: what is kept of them is bounded, and the memory with it."""

    async def flood() -> None:
        async with listening() as port:
            writers = []
            for number in range(50):
                _, writer = await connect(port, f"127.0.1.{number}")
                writer.write(b"\x0bMSH|" + b"x" * (2 * MIB - 1000))
                writers.append(writer)
            await asyncio.sleep(3)
            assert CLOSED.labels("mllp", "bytes of all")._value.get() > 30
            for writer in writers:
                writer.transport.abort()

    assert peak_of(lambda: asyncio.run(flood())) < 100


@pytest.mark.parametrize("amount", [1, 3])
async def test_a_frame_larger_than_the_share_of_its_peer_goes_through_alone(amount: int) -> None:
    async with listening(limits=mllp_limits(peer_bytes=MIB)) as port:
        connections = [await connect(port, HOLDER) for _ in range(amount)]
        payload = b"MSH|" + b"z" * (MIB + MIB // 4)
        assert await asyncio.gather(*(ask(each, payload) for each in connections)) == [frame(payload)] * amount
