"""The log in PostgreSQL: appending, tree head and checkpoints.

Guarantee: a batch is one transaction that holds the lock on the tree head, so leaf indexes have no gap, a record is
recorded once whoever reads it and however often, and the position of a partition moves exactly with its records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventbus import Outgoing, stage
from psycopg import AsyncConnection
from servicekit.postgres import Pool

from auditing.domain.audit_event import Entry
from auditing.domain.feeds import Reception
from auditing.domain.merkle import Frontier, Node, append
from auditing.domain.notes import Checkpoint
from auditing.domain.proofs import TILE_HEIGHT
from auditing.domain.sequencing import EventKey, Partition, Plan, Position, event_key, sequence

_LOCK_HEAD = "SELECT size, peaks FROM tree_head FOR UPDATE"
_KNOWN = """SELECT leaf.topic, leaf.event_id, index FROM leaf
    JOIN unnest(%b::text[], %b::text[]) AS wanted (topic, event_id) USING (topic, event_id)"""
_COPY_LEAVES = """COPY leaf (index, hash, data, event_id, event_type, causation_id, topic, partition, "offset",
    payload_sha256, signature, signer) FROM STDIN (FORMAT BINARY)"""
_LEAF_TYPES = ("int8", "bytea", "bytea", "text", "text", "text", "text", "int4", "int8", "bytea", "text", "text")
_COPY_SUBJECTS = "COPY subject (identifier, leaf_index) FROM STDIN (FORMAT BINARY)"
_SUBJECT_TYPES = ("text", "int8")
_COPY_LOOKS = "COPY look (patient, leaf_index) FROM STDIN (FORMAT BINARY)"
_LOOK_TYPES = ("text", "int8")
_COPY_DUPLICATES = """COPY duplicate (topic, partition, "offset", leaf_index, payload_sha256)
    FROM STDIN (FORMAT BINARY)"""
_DUPLICATE_TYPES = ("text", "int4", "int8", "int8", "bytea")
_COPY_SUBTREES = "COPY subtree (level, index, hash) FROM STDIN (FORMAT BINARY)"
_SUBTREE_TYPES = ("int4", "int8", "bytea")
_SET_POSITION = """INSERT INTO position (topic, partition, next_offset, leaves, duplicates) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (topic, partition) DO UPDATE SET (next_offset, leaves, duplicates)
    = (EXCLUDED.next_offset, EXCLUDED.leaves, EXCLUDED.duplicates)"""
_COUNT = """INSERT INTO feed_count (facility, hour, measure, name, count) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (facility, hour, measure, name) DO UPDATE SET count = feed_count.count + EXCLUDED.count"""
_LAST = """INSERT INTO feed (facility, last_received_at) VALUES (%s, %s) ON CONFLICT (facility) DO UPDATE
    SET last_received_at = greatest(feed.last_received_at, EXCLUDED.last_received_at)"""
_MARK_PUBLISHED = """UPDATE checkpoint SET published_at = clock_timestamp()
    WHERE size = %s AND published_at IS NULL RETURNING size"""
_UNPUBLISHED = "SELECT size, root, note, cosignatures FROM checkpoint WHERE published_at IS NULL ORDER BY size LIMIT 1"
_PUBLISHED = """SELECT size, root, note, cosignatures FROM checkpoint WHERE published_at IS NOT NULL
    ORDER BY size DESC LIMIT 1"""
_SIGNED = "SELECT size FROM checkpoint WHERE size = %s AND starts_with(%s, note)"
_COSIGN = "UPDATE checkpoint SET cosignatures = %s WHERE size = %s AND cosignatures = ''"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was signed."""

    size: int
    root: bytes
    # The note with the log's own signature, and the lines of witnesses.
    signed: str
    cosignatures: str = ""

    @property
    def note(self) -> str:
        """The whole signed note."""
        return self.signed + self.cosignatures


class Log:
    """The transparency log of this service's schema."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def append(self, entries: Sequence[Entry]) -> Plan:
        """Record a batch; returns what was new in it."""
        async with self._pool.connection() as conn, conn.transaction():
            frontier = await _locked_frontier(conn)
            plan = sequence(entries, frontier.size, await _known(conn, entries), await _positions(conn))
            grown, completed = append(frontier, [leaf.hash for leaf in plan.leaves])
            await _write(conn, plan, completed)
            await conn.execute("UPDATE tree_head SET size = %s, peaks = %s", (grown.size, list(grown.hashes)))
            return plan

    async def positions(self) -> dict[Partition, Position]:
        """How far each partition is recorded."""
        async with self._pool.connection() as conn:
            return await _positions(conn)

    async def frontier(self) -> Frontier:
        """The tree of all leaves."""
        async with self._pool.connection() as conn:
            row = await (await conn.execute("SELECT size, peaks FROM tree_head")).fetchone()
            return _frontier(row)

    async def save_checkpoint(self, checkpoint: Checkpoint, note: str) -> None:
        """Keep a signed checkpoint before anyone sees it. Saving it again changes nothing."""
        async with self._pool.connection() as conn:
            await conn.execute(
                "INSERT INTO checkpoint (size, root, note) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (checkpoint.size, checkpoint.root, note),
            )

    async def keep_cosignatures(self, size: int, lines: str) -> None:
        """What witnesses signed under a checkpoint; the first lines stay."""
        async with self._pool.connection() as conn:
            await conn.execute(_COSIGN, (lines, size))

    async def mark_published(self, size: int, announcement: Outgoing) -> None:
        """Tiles and object of this checkpoint are out; its event is staged, by the replica that is first."""
        async with self._pool.connection() as conn, conn.transaction():
            if await (await conn.execute(_MARK_PUBLISHED, (size,))).fetchone() is not None:
                await stage(conn, announcement.id, [announcement])

    async def unpublished_checkpoint(self) -> SignedCheckpoint | None:
        """The oldest checkpoint that was signed but is not known to be out."""
        return await self._checkpoint(_UNPUBLISHED)

    async def published_checkpoint(self) -> SignedCheckpoint | None:
        """The newest checkpoint that is out."""
        return await self._checkpoint(_PUBLISHED)

    async def signed_size(self, note: str) -> int:
        """The size of a checkpoint, by its whole signed note; 0 where this log did not sign it."""
        size = note.partition("\n")[2].partition("\n")[0]
        if not size.isdecimal():
            return 0
        async with self._pool.connection() as conn:
            row = await (await conn.execute(_SIGNED, (int(size), note))).fetchone()
            return row[0] if row else 0

    async def _checkpoint(self, query: str) -> SignedCheckpoint | None:
        async with self._pool.connection() as conn:
            row = await (await conn.execute(query.encode())).fetchone()
            return SignedCheckpoint(*row) if row else None


async def _locked_frontier(conn: AsyncConnection[Any]) -> Frontier:
    return _frontier(await (await conn.execute(_LOCK_HEAD)).fetchone())


def _frontier(row: Any) -> Frontier:
    size, peaks = row
    return Frontier(size, tuple(peaks))


async def _known(conn: AsyncConnection[Any], entries: Sequence[Entry]) -> dict[EventKey, int]:
    keys = [event_key(entry) for entry in entries]
    rows = await conn.execute(_KNOWN, ([topic for topic, _ in keys], [event_id for _, event_id in keys]))
    return {(topic, event_id): index for topic, event_id, index in await rows.fetchall()}


async def _positions(conn: AsyncConnection[Any]) -> dict[Partition, Position]:
    rows = await conn.execute("SELECT topic, partition, next_offset, leaves, duplicates FROM position")
    return {(topic, partition): Position(*counts) for topic, partition, *counts in await rows.fetchall()}


async def _write(conn: AsyncConnection[Any], plan: Plan, completed: Sequence[Node]) -> None:
    leaves = [_leaf_row(leaf.index, leaf.hash, leaf.entry) for leaf in plan.leaves]
    subjects = [(name, leaf.index) for leaf in plan.leaves for name in leaf.entry.identifiers]
    duplicates = [(*_place(one.entry), one.leaf_index, one.entry.payload_sha256) for one in plan.duplicates]
    subtrees = [_subtree_row(node) for node in completed if _starts_tile_level(node)]
    await _copy(conn, _COPY_LEAVES, _LEAF_TYPES, leaves)
    await _copy(conn, _COPY_SUBJECTS, _SUBJECT_TYPES, subjects)
    looks = [(leaf.entry.looked_at, leaf.index) for leaf in plan.leaves if leaf.entry.looked_at]
    await _copy(conn, _COPY_LOOKS, _LOOK_TYPES, looks)
    await _copy(conn, _COPY_DUPLICATES, _DUPLICATE_TYPES, duplicates)
    await _copy(conn, _COPY_SUBTREES, _SUBTREE_TYPES, subtrees)
    await _count(conn, [leaf.entry.reception for leaf in plan.leaves if leaf.entry.reception])
    positions = [(*place, p.next_offset, p.leaves, p.duplicates) for place, p in plan.positions.items()]
    async with conn.cursor() as cursor:
        await cursor.executemany(_SET_POSITION, positions)


async def _count(conn: AsyncConnection[Any], receptions: Sequence[Reception]) -> None:
    counts = Counter((one.facility, one.hour, *counted) for one in receptions for counted in one.counted)
    last: dict[str, datetime] = {}
    for one in receptions:
        last[one.facility] = max(one.received_at, last.get(one.facility, one.received_at))
    async with conn.cursor() as cursor:
        await cursor.executemany(_COUNT, [(*key, count) for key, count in counts.items()])
        await cursor.executemany(_LAST, list(last.items()))


async def _copy(
    conn: AsyncConnection[Any], statement: str, types: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if not rows:
        return
    async with conn.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            await copy.write_row(row)


def _leaf_row(index: int, leaf_hash: bytes, entry: Entry) -> tuple[Any, ...]:
    causes = (entry.event_id, entry.event_type, entry.causation_id)
    return (
        index,
        leaf_hash,
        entry.data,
        *causes,
        *_place(entry),
        entry.payload_sha256,
        entry.signed.state,
        entry.signed.by,
    )


def _place(entry: Entry) -> tuple[str, int, int]:
    return (entry.topic, entry.partition, entry.offset)


def _starts_tile_level(node: Node) -> bool:
    """Subtrees of 256**n leaves, n > 0, are the hashes of higher tiles; leaves stand in their own table."""
    return node.height > 0 and node.height % TILE_HEIGHT == 0


def _subtree_row(node: Node) -> tuple[int, int, bytes]:
    return (node.height // TILE_HEIGHT, node.index, node.hash)
