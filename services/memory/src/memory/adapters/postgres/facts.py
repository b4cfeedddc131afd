"""Facts as rows: written once, read as statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from consult import times
from longitude.record.v1.fact_pb2 import ClinicalFact
from psycopg import AsyncConnection

from memory.domain.identity import Identifier
from memory.domain.timeline import StatedFact
from memory.domain.updates import Update

# PostgreSQL copies into no table that has policies.
_ADD = """INSERT INTO fact (fact_id, identifier_no, cluster_no, kind, payload, valid_from, valid_to, stated_at,
    received_at, ordinal, recorded_at, event_id)
    SELECT unnest(%b::text[]), unnest(%b::bigint[]), unnest(%b::bigint[]), unnest(%b::smallint[]), unnest(%b::bytea[]),
        unnest(%b::timestamptz[]), unnest(%b::timestamptz[]), unnest(%b::timestamptz[]), unnest(%b::timestamptz[]),
        unnest(%b::integer[]), unnest(%b::timestamptz[]), unnest(%b::text[])
    ON CONFLICT (fact_id) DO NOTHING RETURNING fact_id"""
_PATIENT = "SELECT authority, id FROM patient_of(%s)"
_OF = """SELECT payload, stated_at, received_at, ordinal, recorded_at FROM fact
    WHERE identifier_no = ANY(%(numbers)s) AND recorded_at <= %(known_at)s"""
_OF_CLUSTERS = """SELECT cluster_no, payload, stated_at, received_at, ordinal, recorded_at FROM fact
    WHERE cluster_no = ANY(%b::bigint[])"""
_IN_CLUSTERS = """SELECT cluster_no, payload, stated_at, received_at, ordinal, recorded_at FROM fact
    WHERE identifier_no = ANY(%s)"""


class Row(NamedTuple):
    """A fact on its way into the record."""

    event_id: str
    identifier_no: int
    statement: StatedFact

    @property
    def fact(self) -> ClinicalFact:
        return self.statement.fact


def rows(updates: Mapping[str, Update], known: Mapping[Identifier, int], recorded_at: datetime) -> list[Row]:
    """The facts of each event; a fact that several state belongs to the first."""
    made: dict[str, Row] = {}
    for event_id, update in updates.items():
        for n, (fact, patient) in enumerate(zip(update.facts, update.patients, strict=True)):
            statement = StatedFact(fact, update.stated_at, update.received_at, n, recorded_at)
            made.setdefault(fact.fact_id, Row(event_id, known[patient], statement))
    return list(made.values())


async def add(conn: AsyncConnection[Any], new: Sequence[Row], clusters: Mapping[str, int]) -> list[Row]:
    """Record facts, each in its cluster; return those that are new. A known fact id is left alone."""
    if not new:
        return []
    columns = tuple(map(list, zip(*(_columns(row, clusters) for row in new), strict=True)))
    added = {fact_id for (fact_id,) in await (await conn.execute(_ADD, columns)).fetchall()}
    return [row for row in new if row.fact.fact_id in added]


def _columns(row: Row, clusters: Mapping[str, int]) -> tuple[Any, ...]:
    fact, stated = row.fact, row.statement
    return (
        fact.fact_id,
        row.identifier_no,
        clusters.get(fact.fact_id),
        fact.kind,
        stated.payload,
        *times.interval(fact),
        stated.stated_at,
        stated.received_at,
        stated.ordinal,
        stated.recorded_at,
        row.event_id,
    )


async def patient(conn: AsyncConnection[Any], fact_id: str) -> Identifier | None:
    """Of whom a fact is, by the identifier that its source used; None for one that is not recorded."""
    row = await (await conn.execute(_PATIENT, (fact_id,))).fetchone()
    return Identifier(*row) if row else None


async def of(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    known_at: datetime | str = "infinity",
) -> list[StatedFact]:
    """Every statement of these identifiers that was recorded by a time."""
    asked = {"numbers": list(numbers), "known_at": known_at}
    return [_stated(*row) for row in await (await conn.execute(_OF, asked)).fetchall()]


async def of_clusters(conn: AsyncConnection[Any], clusters: Iterable[int]) -> list[tuple[int, StatedFact]]:
    """Every statement of these clusters, with its cluster."""
    rows_ = await (await conn.execute(_OF_CLUSTERS, (list(clusters),))).fetchall()
    return [(cluster, _stated(*row)) for cluster, *row in rows_]


async def in_clusters(conn: AsyncConnection[Any], numbers: Collection[int]) -> list[tuple[int | None, StatedFact]]:
    """Every statement of these identifiers, with its cluster."""
    rows_ = await (await conn.execute(_IN_CLUSTERS, (list(numbers),))).fetchall()
    return [(cluster, _stated(*row)) for cluster, *row in rows_]


def _stated(payload: bytes, *moments: Any) -> StatedFact:
    return StatedFact(ClinicalFact.FromString(payload), *moments)
