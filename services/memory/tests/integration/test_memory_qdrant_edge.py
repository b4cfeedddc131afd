import asyncio
import signal
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest
from contracts.errors import UnavailableError
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.qdrant_server import QdrantServer

WRITER = """
import asyncio, sys, uuid
from pathlib import Path
from memory.adapters.qdrant_edge import QdrantEdge
from memory.domain.vectors import Point

async def main():
    async with QdrantEdge.open(Path(sys.argv[1])) as index:
        await index.ensure("notes")
        for n in range(10_000):
            vector = [1.0] + [0.0] * 382 + [n / 1e4]
            await index.upsert("notes", [Point(str(uuid.UUID(int=n)), vector, {"identifier": 1})])
            print(n, flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_loses_no_acknowledged_point(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    last = -1
    while last < 40:
        last = int(await process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    last = max([last, *(int(line) for line in (await process.stdout.read()).split(b"\n") if line)])
    await process.wait()
    async with QdrantEdge.open(tmp_path) as index:
        await index.ensure("notes")
        assert await index.count("notes") >= last + 1


async def test_a_second_process_is_told_to_wait_for_the_folder(tmp_path: Path) -> None:
    async with QdrantEdge.open(tmp_path) as first:
        await first.ensure("notes")
        async with QdrantEdge.open(tmp_path) as second:
            with pytest.raises(UnavailableError):
                await second.ensure("notes")


async def test_a_shard_that_was_not_finished_when_the_process_died_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "notes.unfinished" / "wal").mkdir(parents=True)
    async with QdrantEdge.open(tmp_path) as index:
        await index.ensure("notes")
        assert await index.count("notes") == 0


async def test_a_server_that_is_away_is_something_to_wait_for() -> None:
    async with QdrantServer.connect("http://127.0.0.1:9") as server:
        with pytest.raises(UnavailableError):
            await server.ensure(str(uuid.uuid4()))
        with pytest.raises(UnavailableError):
            await server.search("notes", [0.0] * 384, 1)
