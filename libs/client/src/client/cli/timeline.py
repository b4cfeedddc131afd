"""`longitude timeline`: a patient's record as of two times, results with their trends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import typer
from contracts.identifiers import format_patient
from longitude.memory.v1.memory_service_pb2 import GetTimelineResponse
from longitude.record.v1.context_pb2 import ContradictionState, RecordedFact
from longitude.record.v1.fact_pb2 import Assertion, ClinicalFact, FactKind
from rich.console import Console

from client import forms, stack
from client.api import MemoryClient
from client.cli.page import ACCENT, BAD, QUIET, day, pointer, row, styled, table, trend
from client.cli.session import Json, Patient, moment, patient_key, print_json, run, screen
from client.terminal import Text

SECTIONS = (
    (FactKind.FACT_KIND_DEMOGRAPHIC, "Person"),
    (FactKind.FACT_KIND_PROBLEM, "Problems"),
    (FactKind.FACT_KIND_ALLERGY, "Allergies"),
    (FactKind.FACT_KIND_MEDICATION, "Medications"),
    (FactKind.FACT_KIND_ENCOUNTER, "Encounters"),
    (FactKind.FACT_KIND_PROCEDURE, "Procedures"),
    (FactKind.FACT_KIND_IMMUNIZATION, "Immunizations"),
    (FactKind.FACT_KIND_IMAGING_FINDING, "Imaging"),
    (FactKind.FACT_KIND_DOCUMENT, "Documents"),
)


def timeline(
    patient: Patient,
    *,
    valid_at: Annotated[str | None, typer.Option(help="What held at this time; default: all times.")] = None,
    known_at: Annotated[str | None, typer.Option(help="What the record knew at this time; default: now.")] = None,
    superseded: Annotated[bool, typer.Option("--superseded", help="Also statements that were replaced.")] = False,
    json: Json = False,
) -> None:
    """Show everything known about a patient, over all linked identifiers."""
    run(_timeline(patient, valid_at, known_at, superseded=superseded, as_json=json))


async def _timeline(
    patient: str, valid_at: str | None, known_at: str | None, *, superseded: bool, as_json: bool
) -> bool:
    key = patient_key(patient)
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        record = await memory.timeline(
            key, valid_at=moment(valid_at), known_at=moment(known_at), include_superseded=superseded
        )
    if as_json:
        print_json([forms.fact(recorded) for recorded in record.facts])
    else:
        show(screen(), patient, record)
    return True


def show(console: Console, patient: str, record: GetTimelineResponse) -> None:
    """The page: person first, results with trends, then the rest, then what contradicts itself."""
    others = [text for key in record.identifiers if (text := format_patient(key)) != patient]
    linked = f"  also {', '.join(others)}" if others else ""
    console.print(Text.assemble((patient, "bold"), (f"{linked}  {len(record.facts)} facts\n", QUIET)))
    by_kind: dict[int, list[RecordedFact]] = defaultdict(list)
    for recorded in record.facts:
        by_kind[recorded.fact.kind].append(recorded)
    _show_results(console, by_kind[FactKind.FACT_KIND_RESULT])
    for kind, title in SECTIONS:
        _show_section(console, title, by_kind[kind])
    _show_contradictions(console, record)


def _show_results(console: Console, results: Sequence[RecordedFact]) -> None:
    """One line per test: its trend, first and latest value, and where the latest stands."""
    if not results:
        return
    page = table("Results", "test", "trend", ">first", ">latest", "unit", "on", ">n", "source of the latest")
    by_test: dict[tuple[str, str, str], list[ClinicalFact]] = defaultdict(list)
    for recorded in results:
        result = recorded.fact
        by_test[result.code.system, result.code.code, result.quantity.unit].append(result)
    for facts in by_test.values():
        first, latest = facts[0], facts[-1]
        numbers = [number for fact in facts if (number := _number(fact)) is not None]
        row(
            page,
            latest.code.display or latest.code.code,
            styled(trend(console, numbers), ACCENT),
            _reading(first) if len(facts) > 1 else "",
            _flagged(latest),
            latest.quantity.unit,
            day(_time(latest, "valid_from")),
            str(len(facts)),
            styled(pointer(latest.source), QUIET),
        )
    console.print(page)


def _show_section(console: Console, title: str, facts: Sequence[RecordedFact]) -> None:
    if not facts:
        return
    page = table(title, "from", "to", "what", "says", "status", "source")
    for recorded in facts:
        fact = recorded.fact
        end = _time(fact, "valid_to")
        row(
            page,
            day(_time(fact, "valid_from")),
            day(end) if end != _time(fact, "valid_from") else "",
            fact.code.display or fact.code.code,
            _says(fact),
            forms.fact(recorded)["status"] + (" (replaced)" if recorded.HasField("superseded_at") else ""),
            styled(pointer(fact.source), QUIET),
        )
    console.print(page)


def _show_contradictions(console: Console, record: GetTimelineResponse) -> None:
    names = {recorded.fact.fact_id: recorded.fact.code for recorded in record.facts}
    open_ones = [c for c in record.contradictions if c.state == ContradictionState.CONTRADICTION_STATE_OPEN]
    if not open_ones:
        return
    page = table("Cannot all be true", "rule", "facts")
    for found in open_ones:
        said = [names[fact_id].display or names[fact_id].code for fact_id in found.fact_ids if fact_id in names]
        row(page, styled(found.rule, BAD), " / ".join(said))
    console.print(page)


def _says(fact: ClinicalFact) -> str:
    parts = [
        "not present" if fact.assertion == Assertion.ASSERTION_ABSENT else "",
        _reading(fact),
        fact.quantity.unit,
        _dosage(fact),
        fact.note,
    ]
    return " ".join(part for part in parts if part)


def _dosage(fact: ClinicalFact) -> str:
    if not fact.HasField("dosage"):
        return ""
    dosage = fact.dosage
    dose = f"{dosage.dose.value} {dosage.dose.unit}".strip()
    return " ".join(part for part in (dose, dosage.route, dosage.frequency or dosage.instruction) if part)


def _reading(fact: ClinicalFact) -> str:
    return fact.quantity.comparator + (forms.value_of(fact) or "")


def _flagged(fact: ClinicalFact) -> Text:
    flag = fact.abnormal_flag
    return styled(f"{_reading(fact)} {flag}", BAD) if flag and flag != "N" else Text(_reading(fact))


def _number(fact: ClinicalFact) -> float | None:
    try:
        return float(fact.quantity.value)
    except ValueError:
        return None


def _time(fact: ClinicalFact, field: str) -> str | None:
    return forms.time_text(getattr(fact, field)) if fact.HasField(field) else None  # type: ignore[arg-type]
