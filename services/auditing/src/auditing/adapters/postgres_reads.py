"""Reads of the log: leaves, the hashes of proofs and tiles, and what followed from an event."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from longitude.auditing.v1.auditing_service_pb2 import FeedReport, Leaf
from psycopg import AsyncConnection
from servicekit.postgres import Pool

from auditing.domain.feeds import reports
from auditing.domain.merkle import fold, perfect_root
from auditing.domain.proofs import Range, TileRun, consistency, tile_runs

_LEAF = 'index, data, event_id, event_type, topic, partition, "offset", payload_sha256, causation_id, signature, signer'
_LEAVES = f"SELECT {_LEAF} FROM leaf WHERE index >= %s AND index < %s ORDER BY index"  # noqa: S608 - a constant
_BY_EVENT = f"SELECT {_LEAF} FROM leaf WHERE event_id = %s ORDER BY index LIMIT 1"  # noqa: S608 - a constant
_LEAF_DATA = "SELECT data FROM leaf WHERE index >= %s AND index < %s ORDER BY index"
_LEAF_HASHES = "SELECT hash FROM leaf WHERE index >= %s AND index < %s ORDER BY index"
_SUBTREE_HASHES = "SELECT hash FROM subtree WHERE level = %s AND index >= %s AND index < %s ORDER BY index"
_TRACE = f"""WITH RECURSIVE found AS (
        SELECT index, event_id FROM leaf WHERE event_id = %(id)s
        UNION
        SELECT leaf.index, leaf.event_id FROM subject JOIN leaf ON leaf.index = leaf_index WHERE identifier = %(id)s
        UNION
        SELECT leaf.index, leaf.event_id FROM found JOIN leaf ON leaf.causation_id = found.event_id
    )
    SELECT {_LEAF} FROM leaf WHERE index IN (SELECT index FROM found) ORDER BY index LIMIT %(limit)s
"""  # noqa: S608 - a constant
_LOOKS = f"""SELECT {_LEAF} FROM leaf WHERE index IN
    (SELECT leaf_index FROM look WHERE patient = ANY(%(patients)s) AND leaf_index < %(before)s
     ORDER BY leaf_index DESC LIMIT %(limit)s) ORDER BY index DESC"""  # noqa: S608 - a constant
_FEEDS = """SELECT facility, last_received_at FROM feed WHERE %(facility)s IN ('', facility) ORDER BY facility
    LIMIT %(limit)s"""
_FEED_COUNTS = """SELECT facility, measure, name, sum(count)::bigint FROM feed_count
    WHERE facility = ANY(%(facilities)s) AND hour >= %(since)s GROUP BY facility, measure, name"""
PAGE = 1000


class LogReader:
    """What the RPCs and the tile writer read."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def leaves(self, start: int, end: int) -> AsyncIterator[Leaf]:
        """Leaves [start, end) in order."""
        for first in range(start, end, PAGE):
            async with self._pool.connection() as conn:
                rows = await (await conn.execute(_LEAVES.encode(), (first, min(end, first + PAGE)))).fetchall()
            for row in rows:
                yield _leaf(row)

    async def leaf_data(self, start: int, end: int) -> list[bytes]:
        """The bytes of leaves [start, end) in order."""
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_LEAF_DATA, (start, end), binary=True)).fetchall()
            return [data for (data,) in rows]

    async def leaf_of_event(self, event_id: str) -> Leaf | None:
        """The leaf of an event; None if it has none."""
        async with self._pool.connection() as conn:
            row = await (await conn.execute(_BY_EVENT.encode(), (event_id,))).fetchone()
            return _leaf(row) if row else None

    async def range_hashes(self, ranges: Sequence[Range]) -> list[bytes]:
        """Merkle Tree Hash of each range of leaves."""
        async with self._pool.connection() as conn:
            return [await _range_hash(conn, leaves) for leaves in ranges]

    async def growth(self, old: int, new: int) -> list[bytes]:
        """The consistency proof between two sizes (RFC 6962, section 2.1.2)."""
        return await self.range_hashes(consistency(old, new))

    async def tile_hashes(self, run: TileRun) -> list[bytes]:
        """Consecutive hashes of a tile level."""
        async with self._pool.connection() as conn:
            return await _run_hashes(conn, run)

    async def trace(self, identifier: str, limit: int) -> list[Leaf]:
        """The leaves of an event, message, document, image or assessment and of all that they caused, in order."""
        async with self._pool.connection() as conn:
            rows = await conn.execute(_TRACE.encode(), {"id": identifier, "limit": limit})
            return [_leaf(row) for row in await rows.fetchall()]

    async def looks(self, pseudonyms: Sequence[str], before: int, limit: int) -> list[Leaf]:
        """The leaves of looks at these patients below an index, the newest first."""
        asked = {"patients": list(pseudonyms), "before": before, "limit": limit}
        async with self._pool.connection() as conn:
            return [_leaf(row) for row in await (await conn.execute(_LOOKS.encode(), asked)).fetchall()]

    async def feeds(self, facility: str, since: datetime, limit: int) -> list[FeedReport]:
        """What each feed sent from the hour of `since` on; of one facility, or of all when it is empty."""
        hour = since.replace(minute=0, second=0, microsecond=0)
        async with self._pool.connection() as conn:
            found = await conn.execute(_FEEDS, {"facility": facility, "limit": limit})
            last: dict[str, datetime] = dict(await found.fetchall())
            counts = await conn.execute(_FEED_COUNTS, {"facilities": list(last), "since": hour})
            return reports(last, await counts.fetchall())


async def _range_hash(conn: AsyncConnection[Any], leaves: Range) -> bytes:
    return fold([perfect_root(await _run_hashes(conn, run)) for run in tile_runs(leaves)])


async def _run_hashes(conn: AsyncConnection[Any], run: TileRun) -> list[bytes]:
    end = run.first + run.count
    if run.level == 0:
        rows = await conn.execute(_LEAF_HASHES, (run.first, end))
    else:
        rows = await conn.execute(_SUBTREE_HASHES, (run.level, run.first, end))
    hashes = [hash_ for (hash_,) in await rows.fetchall()]
    if len(hashes) != run.count:
        raise LookupError(f"the log lacks hashes of level {run.level} from {run.first} on")
    return hashes


def _leaf(row: tuple[Any, ...]) -> Leaf:
    index, data, event_id, event_type, topic, partition, offset, payload_sha256, causation_id, signature, signer = row
    return Leaf(
        index=index,
        leaf_data=data,
        event_id=event_id,
        event_type=event_type,
        topic=topic,
        partition=partition,
        offset=offset,
        payload_sha256=payload_sha256,
        causation_id=causation_id,
        signature=signature,
        signer=signer,
    )
