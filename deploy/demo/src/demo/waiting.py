"""Waits until everything that was sent is visible: the log has all that Kafka has, and nothing moves any more."""

import asyncio

from client.api import AuditingClient, MemoryClient
from client.errors import NotThereError, UnreachableError
from longitude.ingestion.v1 import clinical_fact_pb2 as pb

from demo import record as names
from demo.record import Record
from demo.stages import Say

WITHIN_SECONDS = 240.0
QUIET_SECONDS = 3.0
POLL_SECONDS = 0.5


class NotSettledError(Exception):
    """The system did not come to rest in time; the text says what was still missing."""


async def read_record(memory: MemoryClient, patient: pb.PatientKey) -> Record | None:
    """The record, or none when nothing is known of the patient yet."""
    try:
        return Record(await memory.timeline(patient))
    except NotThereError:
        return None


async def until_visible(memory: MemoryClient, auditing: AuditingClient, patient: pb.PatientKey, say: Say) -> Record:
    """The record once it is whole and the system rests; NotSettledError after four minutes."""
    clock = asyncio.get_running_loop().time
    deadline, quiet_since, before = clock() + WITHIN_SECONDS, clock(), (0, 0)
    while True:
        record = await read_record(memory, patient)
        behind, written = await _log(auditing)
        now = (written, len(record.facts) if record else 0)
        if now != before or behind:
            before, quiet_since = now, clock()
        absent = awaited(record)
        say(f"{now[1]} facts, {written} records in Kafka, {behind} not yet in the log{_still(absent)}")
        if record and not absent and clock() - quiet_since >= QUIET_SECONDS:
            return record
        if clock() > deadline:
            raise NotSettledError(
                f"after {WITHIN_SECONDS:.0f} s: {now[1]} facts{_still(absent)}, {behind} records not logged"
            )
        await asyncio.sleep(POLL_SECONDS)


def awaited(record: Record | None) -> list[str]:
    """What the story's slow parts still owe: the last order, the film, the page, the letter."""
    if record is None:
        return ["the first message"]
    facts = record.facts
    signs = {
        "the last order": bool(record.medication(names.NAPROXEN)),
        "the film": any(fact.source.sop_instance_uid for fact in facts),
        "the scanned page": any(fact.provenance == pb.PROVENANCE_READ_FROM_IMAGE for fact in facts),
        "the letters": any(fact.provenance == pb.PROVENANCE_READ_FROM_TEXT for fact in facts),
    }
    return [name for name, there in signs.items() if not there]


async def _log(auditing: AuditingClient) -> tuple[int, int]:
    """Records that the log does not have yet, and records that Kafka holds. A log that still starts has none."""
    try:
        counts = await auditing.completeness()
    except UnreachableError:
        return 1, 0
    behind = sum(max(count.end_offset - count.recorded_to, 0) for count in counts)
    return behind, sum(count.end_offset for count in counts)


def _still(absent: list[str]) -> str:
    return f", waiting for {', '.join(absent)}" if absent else ""
