"""What becomes of versions. Each decision is one transaction under one lock: states, gates and event change together,
so that one version serves, at most, and no version is half promoted.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.errors import ConflictError, NotFoundError
from contracts.identifiers import event_id
from contracts.topics import VERSION_PROMOTED, VERSION_REFUSED, VERSION_ROLLED_BACK, Topic
from eventbus import Outgoing, stage
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.learning.v1.events_pb2 import Gate, VersionPromoted, VersionRefused, VersionRolledBack

from learning.adapters.postgres import Connection, versions
from learning.adapters.postgres.versions import Decision, StoredVersion
from learning.domain.training import GateRow
from learning.domain.versions import check_promotable, failed, gates, said
from learning.flows.finishing import KEY
from learning.flows.parts import Parts


async def file_report(version_id: str, rows: Iterable[GateRow], parts: Parts) -> bool:
    """Whether every gate was passed; an empty report passes nothing."""
    report = gates(rows)
    async with parts.store.connection() as conn, conn.transaction():
        await versions.lock(conn)
        await _get(conn, version_id)
        await versions.file_report(conn, version_id, report)
    return bool(report) and not failed(report)


async def promote(version_id: str, decided_by: str, parts: Parts) -> str:
    """The id of the event. ConflictError with the first figure that failed; the refusal is an event too, once."""
    async with parts.store.connection() as conn, conn.transaction():
        await versions.lock(conn)
        stored = await _get(conn, version_id)
        if stored.state == "live":
            return stored.event_id
        check_promotable(stored.state, stored.gates)
        missed = failed(stored.gates or ())
        if not missed:
            promoted = await _promote(conn, stored, decided_by)
        elif stored.state != "refused":
            await _refuse(conn, stored, missed, decided_by)
    parts.outbox.flush()
    if missed:
        raise ConflictError(f"refused: {said(missed[0])}")
    return promoted


async def roll_back(decided_by: str, reason: str, parts: Parts) -> tuple[str, str]:
    """The id of the event, and of the version that serves now. ConflictError when the base model serves already."""
    async with parts.store.connection() as conn, conn.transaction():
        await versions.lock(conn)
        stored = await versions.live(conn)
        if stored is None:
            raise ConflictError("the base model serves: there is nothing to roll back")
        before = await _before(conn, stored)
        decision = _decision("version-rolled-back", stored, "rolled-back", decided_by)
        payload = VersionRolledBack(
            version_id=stored.version.version_id,
            live_version_id=before,
            decided_by=decided_by,
            reason=reason,
            decided_at=_stamp(decision.at),
        )
        await _decide(conn, stored, decision, VERSION_ROLLED_BACK, payload)
        if before:
            await versions.set_state(conn, before, "live")
    parts.outbox.flush()
    return decision.event_id, before


async def _before(conn: Connection, stored: StoredVersion) -> str:
    """What serves without it; empty, the base model, also where the one before was taken back itself."""
    before = await versions.get(conn, stored.replaced) if stored.replaced else None
    return "" if before is None or before.state == "rolled-back" else before.version.version_id


async def _promote(conn: Connection, stored: StoredVersion, decided_by: str) -> str:
    before = await versions.live(conn)
    replaced = before.version.version_id if before is not None else ""
    if replaced:
        await versions.set_state(conn, replaced, "superseded")
    await versions.set_replaced(conn, stored.version.version_id, replaced)
    decision = _decision("version-promoted", stored, "live", decided_by)
    payload = VersionPromoted(
        version_id=stored.version.version_id,
        replaced_version_id=replaced,
        artifact=stored.version.artifact,
        gates=stored.gates,
        decided_by=decided_by,
        decided_at=_stamp(decision.at),
    )
    await _decide(conn, stored, decision, VERSION_PROMOTED, payload)
    return decision.event_id


async def _refuse(conn: Connection, stored: StoredVersion, missed: Sequence[Gate], decided_by: str) -> None:
    decision = _decision("version-refused", stored, "refused", decided_by)
    payload = VersionRefused(
        version_id=stored.version.version_id, failed=missed, decided_by=decided_by, decided_at=_stamp(decision.at)
    )
    await _decide(conn, stored, decision, VERSION_REFUSED, payload)


async def _decide(
    conn: Connection, stored: StoredVersion, decision: Decision, topic: Topic[Any], payload: Message
) -> None:
    await versions.decide(conn, stored.version.version_id, decision)
    await stage(conn, decision.event_id, [Outgoing(topic, decision.event_id, KEY, payload, decision.at)])


def _decision(kind: str, stored: StoredVersion, state: str, decided_by: str) -> Decision:
    """The event's id follows from the version and how often it was decided about."""
    name = event_id(kind, stored.version.version_id, str(stored.decisions + 1))
    return Decision(state, decided_by, datetime.now(UTC), name)


def _stamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


async def _get(conn: Connection, version_id: str) -> StoredVersion:
    stored = await versions.get(conn, version_id)
    if stored is None:
        raise NotFoundError("no such version")
    return stored
