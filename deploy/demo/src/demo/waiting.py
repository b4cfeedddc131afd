"""Waits until everything that was sent is visible: the log has all that Kafka has, and nothing moves any more."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from client.api import AuditingClient, ImagingClient, MemoryClient, ReasoningClient
from client.errors import NotThereError, UnreachableError
from contracts.topics import IMAGING_RECORD_READ, REASONING_RECORD_READ, RECORD_READ
from longitude.imaging.v1.events_pb2 import StudyAnalysed
from longitude.record.v1 import fact_pb2 as pb

from demo import record as names
from demo.record import Record
from demo.stages import Say

WITHIN_SECONDS = 240.0
QUIET_SECONDS = 3.0
POLL_SECONDS = 0.5
LOOKS = {topic.name for topic in (RECORD_READ, IMAGING_RECORD_READ, REASONING_RECORD_READ)}


class NotSettledError(Exception):
    """The system did not come to rest in time; the text says what was still missing."""


@dataclass(frozen=True)
class Clients:
    """Connections to the services that a person talks to."""

    memory: MemoryClient
    imaging: ImagingClient
    reasoning: ReasoningClient
    auditing: AuditingClient


@dataclass(frozen=True)
class Seen:
    """The whole record, and the analysis of the film."""

    record: Record
    study: StudyAnalysed


async def read_record(memory: MemoryClient, patient: pb.PatientKey) -> Record | None:
    """The record, or none when nothing is known of the patient yet."""
    try:
        return Record(await memory.timeline(patient))
    except NotThereError:
        return None


async def read_film(imaging: ImagingClient, uid: str) -> StudyAnalysed | None:
    """The analysis of the film, or none while there is none."""
    try:
        return await imaging.study(uid)
    except NotThereError:
        return None


async def until_visible(clients: Clients, patient: pb.PatientKey, film: str, say: Say) -> Seen:
    """What there is once it is whole and the system rests; NotSettledError after four minutes."""
    clock = asyncio.get_running_loop().time
    deadline, quiet_since, before = clock() + WITHIN_SECONDS, clock(), (0, 0)
    while True:
        record, study = await read_record(clients.memory, patient), await read_film(clients.imaging, film)
        behind, written = await _log(clients.auditing)
        now = (written, len(record.facts) if record else 0)
        if now != before or behind:
            before, quiet_since = now, clock()
        absent = awaited(record, study)
        say(f"{now[1]} facts, {written} records in Kafka, {behind} not yet in the log{_still(absent)}")
        if record and study and not absent and clock() - quiet_since >= QUIET_SECONDS:
            return Seen(record, study)
        if clock() > deadline:
            raise NotSettledError(
                f"after {WITHIN_SECONDS:.0f} s: {now[1]} facts{_still(absent)}, {behind} records not logged"
            )
        await asyncio.sleep(POLL_SECONDS)


def awaited(record: Record | None, study: StudyAnalysed | None) -> list[str]:
    """What the story's slow parts still owe: the last order, the film, the page, the letters."""
    if record is None:
        return ["the first message"]
    facts = record.facts
    signs = {
        "the last order": bool(record.medication(names.NAPROXEN)),
        "the film": study is not None and all(finding in _findings(facts) for finding in stated(study)),
        "the scanned page": any(fact.provenance == pb.PROVENANCE_READ_FROM_IMAGE for fact in facts),
        "the letters": any(fact.provenance == pb.PROVENANCE_READ_FROM_TEXT for fact in facts),
    }
    return [name for name, there in signs.items() if not there]


def stated(study: StudyAnalysed) -> list[str]:
    """Codes of the findings that the network is sure enough of to state (the threshold of its card)."""
    return [finding.code.code for finding in study.findings if finding.assertion == pb.ASSERTION_PRESENT]


def _findings(facts: Iterable[pb.ClinicalFact]) -> set[str]:
    return {fact.code.code for fact in facts if fact.source.sop_instance_uid}


async def _log(auditing: AuditingClient) -> tuple[int, int]:
    """Records that the log does not have yet, and records that Kafka holds. A log that still starts has none.

    Looks are left out: to wait is to look.
    """
    try:
        counts = [count for count in await auditing.completeness() if count.topic not in LOOKS]
    except UnreachableError:
        return 1, 0
    behind = sum(max(count.end_offset - count.recorded_to, 0) for count in counts)
    return behind, sum(count.end_offset for count in counts)


def _still(absent: list[str]) -> str:
    return f", waiting for {', '.join(absent)}" if absent else ""
