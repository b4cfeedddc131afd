"""Versions: what a job made, what its gates measured, and what was decided. One of them serves, at most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longitude.learning.v1.events_pb2 import CandidateTrained, Gate, Version

from learning.adapters.postgres import Connection

_ADD = """INSERT INTO version (version_id, job_id, bucket, key, version, trained_at, gates, gates_at)
    VALUES (%(id)s, %(job)s, %(bucket)s, %(key)s, %(version)s, %(at)s, %(gates)s, %(gates_at)s)"""
_COLUMNS = "version, state, gates, gates_at, decided_by, decided_at, event_id::text, decisions, replaced::text"
_GET = f"SELECT {_COLUMNS} FROM version WHERE version_id = %s"  # noqa: S608 - the columns are ours
_LIVE = f"SELECT {_COLUMNS} FROM version WHERE state = 'live'"  # noqa: S608
_LIST = f"SELECT {_COLUMNS} FROM version ORDER BY trained_at DESC, version_id LIMIT 100"  # noqa: S608
# A report on what was refused or taken back makes it a candidate again.
_FILE = """UPDATE version SET gates = %s, gates_at = clock_timestamp(),
    state = CASE WHEN state IN ('refused', 'rolled-back') THEN 'candidate' ELSE state END WHERE version_id = %s"""
_STATE = "UPDATE version SET state = %s WHERE version_id = %s"
_REPLACED = "UPDATE version SET replaced = %s WHERE version_id = %s"
_DECIDED = """UPDATE version SET state = %s, decided_by = %s, decided_at = %s, event_id = %s, decisions = decisions + 1
    WHERE version_id = %s"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('learning:versions'))"


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version as it stands; no gates: not measured."""

    version: Version
    state: str
    gates: Sequence[Gate] | None
    gates_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    event_id: str
    decisions: int
    # What it took the place of; empty: the base model.
    replaced: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a version, by whom, and the event that tells of it."""

    state: str
    decided_by: str
    at: datetime
    event_id: str


async def lock(conn: Connection) -> None:
    """Nobody else decides until the transaction ends."""
    await conn.execute(_LOCK)


async def add(conn: Connection, version: Version, gates: Sequence[Gate]) -> None:
    """A candidate, with its gates where they were measured."""
    at = version.trained_at.ToDatetime()
    row = {
        "id": version.version_id,
        "job": version.job_id,
        "bucket": version.artifact.bucket,
        "key": version.artifact.key,
        "version": version.SerializeToString(deterministic=True),
        "at": at,
        "gates": _data(gates) if gates else None,
        "gates_at": at if gates else None,
    }
    await conn.execute(_ADD, row)


async def get(conn: Connection, version_id: str) -> StoredVersion | None:
    """None when there is no such version."""
    row = await (await conn.execute(_GET.encode(), (version_id,))).fetchone()
    return None if row is None else _stored(row)


async def live(conn: Connection) -> StoredVersion | None:
    """The one that serves; None: the base model does."""
    row = await (await conn.execute(_LIVE.encode())).fetchone()
    return None if row is None else _stored(row)


async def newest(conn: Connection) -> list[StoredVersion]:
    """The last hundred, the newest first."""
    return [_stored(row) for row in await (await conn.execute(_LIST.encode())).fetchall()]


async def file_report(conn: Connection, version_id: str, gates: Sequence[Gate]) -> None:
    """What the gates measured last."""
    await conn.execute(_FILE, (_data(gates), version_id))


async def set_state(conn: Connection, version_id: str, state: str) -> None:
    """What followed from the decision about another."""
    await conn.execute(_STATE, (state, version_id))


async def set_replaced(conn: Connection, version_id: str, replaced: str) -> None:
    """What it takes the place of."""
    await conn.execute(_REPLACED, (replaced or None, version_id))


async def decide(conn: Connection, version_id: str, decision: Decision) -> None:
    """What was decided about it."""
    row = (decision.state, decision.decided_by, decision.at, decision.event_id, version_id)
    await conn.execute(_DECIDED, row)


def _data(gates: Sequence[Gate]) -> bytes:
    return CandidateTrained(gates=gates).SerializeToString(deterministic=True)


def _stored(row: Sequence[Any]) -> StoredVersion:
    version, state, gates, gates_at, decided_by, decided_at, event_id, decisions, replaced = row
    report = None if gates is None else list(CandidateTrained.FromString(gates).gates)
    made = Version.FromString(version)
    return StoredVersion(
        made, state, report, gates_at, decided_by, decided_at, event_id or "", decisions, replaced or ""
    )
