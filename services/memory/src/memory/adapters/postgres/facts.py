"""Facts as rows: written once, read as statements."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from consult import times
from longitude.record.v1.fact_pb2 import ClinicalFact
from psycopg import AsyncConnection

from memory.domain.identity import Identifier
from memory.domain.timeline import StatedFact
from memory.domain.updates import Update

_ADD = """INSERT INTO fact
    (fact_id, identifier_no, kind, payload, valid_from, valid_to, ordinal,
     stated_at, received_at, recorded_at, event_id)
    SELECT *, %s, %s, %s, %s
    FROM unnest(%s::text[], %s::bigint[], %s::smallint[], %s::bytea[], %s::timestamptz[], %s::timestamptz[], %s::int[])
    ON CONFLICT DO NOTHING RETURNING fact_id"""
_OF = """SELECT payload, stated_at, received_at, ordinal, recorded_at FROM fact
    WHERE identifier_no = ANY(%(numbers)s) AND recorded_at <= %(known_at)s
    AND (%(kinds)s::smallint[] = '{}' OR kind = ANY(%(kinds)s))"""


async def add(
    conn: AsyncConnection[Any],
    update: Update,
    known: Mapping[Identifier, int],
    event_id: str,
    recorded_at: datetime,
) -> list[str]:
    """Record the update's facts; return the ids of those that are new. A known fact id is left alone."""
    if not update.facts:
        return []
    rows = [
        (
            fact.fact_id,
            known[Identifier.of(fact.patient)],
            fact.kind,
            fact.SerializeToString(deterministic=True),
            *times.interval(fact),
            n,
        )
        for n, fact in enumerate(update.facts)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    moments = (update.stated_at, update.received_at, recorded_at)
    new = await (await conn.execute(_ADD, (*moments, event_id, *columns))).fetchall()
    return [fact_id for (fact_id,) in new]


async def of(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    known_at: datetime | str = "infinity",
    kinds: Collection[int] = (),
) -> list[StatedFact]:
    """Every statement of these identifiers that was recorded by a time."""
    asked = {"numbers": list(numbers), "known_at": known_at, "kinds": list(kinds)}
    rows = await (await conn.execute(_OF, asked)).fetchall()
    return [StatedFact(ClinicalFact.FromString(payload), *moments) for payload, *moments in rows]
