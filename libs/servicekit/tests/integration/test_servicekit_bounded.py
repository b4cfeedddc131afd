"""Work on strangers' bytes: bounded, and never the end of the service or of the next piece of work."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from contracts.errors import UnavailableError
from servicekit.bounded import KILLED, Bounds, Workers, WorkFailedError, WorkKilledError
from testkit.memory import peak_of

MIB = 1024 * 1024
BOUNDS = Bounds(memory_bytes=64 * MIB, cpu_seconds=1, wall_seconds=4, answer_bytes=MIB)
HOSTILE = ["testkit.hostile"]
T = TypeVar("T")


def run(script: Callable[[Workers], Awaitable[T]], modules: list[str] = HOSTILE) -> T:
    async def within() -> T:
        async with Workers.running(modules, BOUNDS, 2) as workers:
            return await script(workers)

    return asyncio.run(within())


def hostile(name: str) -> str:
    return f"testkit.hostile:{name}"


def test_arguments_and_answer_are_bytes_of_any_length() -> None:
    async def script(workers: Workers) -> bytearray:
        return await workers.run(hostile("echo"), b"", b"x" * (MIB // 2), b"\0\xff")

    assert run(script) == b"," + b"x" * (MIB // 2) + b",\0\xff"


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("fill", b"4000000000"),
        ("fill_outside_python", b"4000000000"),
        ("crash", b""),
        ("turn", b""),
        ("sleep", b""),
        ("shout", b"2000000"),
    ],
)
def test_what_exhausts_or_crashes_a_decoder_ends_its_process_and_the_next_work_is_done(
    name: str, argument: bytes
) -> None:
    before = KILLED.labels(name)._value.get()

    async def script(workers: Workers) -> bytearray:
        with pytest.raises(WorkKilledError):
            await workers.run(hostile(name), argument)
        return await workers.run(hostile("echo"), b"next")

    assert run(script) == b"next"
    assert KILLED.labels(name)._value.get() == before + 1


def test_what_fills_the_memory_never_takes_more_than_its_bound() -> None:
    async def script(workers: Workers) -> None:
        with pytest.raises(WorkKilledError):
            await workers.run(hostile("fill"), b"4000000000")

    assert peak_of(lambda: run(script)) < 64 + 64


def test_an_error_is_told_by_its_type_and_quotes_nothing() -> None:
    async def script(workers: Workers) -> None:
        await workers.run(hostile("stumble"), b"Test^Person")

    with pytest.raises(WorkFailedError) as raised:
        run(script)
    assert str(raised.value) == "ValueError"


def test_what_a_decoder_complains_of_reaches_no_log(capfd: pytest.CaptureFixture[str]) -> None:
    async def script(workers: Workers) -> None:
        await workers.run(hostile("complain"), b"Test^Person")

    run(script)
    assert "Test^Person" not in "".join(capfd.readouterr())


def test_nothing_of_one_piece_of_work_is_there_in_the_next() -> None:
    async def script(workers: Workers) -> bytearray:
        await workers.run(hostile("remember"), b"first")
        return await workers.run(hostile("remember"), b"second")

    assert run(script) == b""


def test_work_sees_no_settings_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_POSTGRES", "postgresql://user:secret@host/db")

    async def script(workers: Workers) -> bytearray:
        return await workers.run(hostile("environment"), b"")

    assert b"LONGITUDE" not in run(script)


def test_work_leaves_no_file_behind(tmp_path: Path) -> None:
    path = tmp_path / "left"

    async def script(workers: Workers) -> None:
        await workers.run(hostile("write"), str(path).encode())

    with pytest.raises((WorkFailedError, WorkKilledError)):
        run(script)
    assert not path.exists() or not path.read_bytes()


def test_a_process_that_was_killed_is_started_again() -> None:
    async def script(workers: Workers) -> tuple[bytearray, bytearray]:
        first = await workers.run(hostile("process"), b"")
        os.kill(int(first), signal.SIGKILL)
        await asyncio.sleep(0.1)
        return first, await workers.run(hostile("process"), b"")

    first, second = run(script)
    assert first != second


def test_without_a_process_the_work_is_to_be_tried_again() -> None:
    async def script(workers: Workers) -> None:
        await workers.run(hostile("echo"), b"")

    with pytest.raises(UnavailableError):
        run(script, ["no_such_module"])


def test_nothing_outlives_the_service() -> None:
    async def script(workers: Workers) -> bytearray:
        return await workers.run(hostile("process"), b"")

    process = int(run(script))
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
