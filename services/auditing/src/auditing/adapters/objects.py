"""The log as C2SP tlog-tiles objects: anyone who may read the bucket can verify it without this service.

Tiles of a checkpoint are written before the checkpoint, so whoever reads the checkpoint finds them.
"""

from __future__ import annotations

import asyncio

from servicekit.objects import ObjectStore

from auditing.adapters.postgres import SignedCheckpoint
from auditing.adapters.postgres_reads import LogReader
from auditing.domain.proofs import TileRun
from auditing.domain.tiles import WIDTH, Tile, bundle, grown

CONCURRENT_WRITES = 8


class TileWriter:
    """Writes what a new checkpoint needs."""

    def __init__(self, store: ObjectStore, reader: LogReader) -> None:
        self._store = store
        self._reader = reader

    async def write(self, old_size: int, checkpoint: SignedCheckpoint) -> None:
        """Bring the bucket from the tree of `old_size` leaves to that of the checkpoint."""
        tiles = grown(old_size, checkpoint.size)
        for first in range(0, len(tiles), CONCURRENT_WRITES):
            await asyncio.gather(*(self._write_tile(tile) for tile in tiles[first : first + CONCURRENT_WRITES]))
        await self.write_checkpoint(checkpoint)

    async def shown_checkpoint(self) -> str:
        """The signed note that stands in the bucket; empty where none does."""
        return (await self._store.find("checkpoint") or b"").decode(errors="replace")

    async def write_checkpoint(self, checkpoint: SignedCheckpoint) -> None:
        """The signed note alone."""
        await self._store.put("checkpoint", checkpoint.note.encode(), "text/plain; charset=utf-8")

    async def _write_tile(self, tile: Tile) -> None:
        hashes = await self._reader.tile_hashes(TileRun(tile.level, tile.index * WIDTH, tile.width))
        await self._store.put(tile.path, b"".join(hashes), "application/octet-stream")
        if tile.level == 0:
            start = tile.index * WIDTH
            entries = bundle(await self._reader.leaf_data(start, start + tile.width))
            await self._store.put(tile.entries_path, entries, "application/octet-stream")
