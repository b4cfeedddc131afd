"""`longitude timeline`: a patient's record as of two times, results with their trends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import typer
from contracts.identifiers import format_patient
from longitude.memory.v1.memory_service_pb2 import GetTimelineResponse
from longitude.record.v1.context_pb2 import ContradictionState, RecordedFact
from longitude.record.v1.fact_pb2 import Assertion, ClinicalFact, Dosage, FactKind
from rich.console import Console

from client import forms, stack
from client.api import MemoryClient
from client.cli.opening import notice
from client.cli.page import ACCENT, BAD, QUIET, day, pointer, row, styled, table, trend
from client.cli.session import Json, Patient, moment, patient_key, print_json, run, screen
from client.states import known_since, organism, states
from client.terminal import Text

SECTIONS = (
    (FactKind.FACT_KIND_DEMOGRAPHIC, "Person"),
    (FactKind.FACT_KIND_PROBLEM, "Problems"),
    (FactKind.FACT_KIND_ALLERGY, "Allergies"),
    (FactKind.FACT_KIND_MEDICATION, "Medications"),
    (FactKind.FACT_KIND_ENCOUNTER, "Encounters"),
    (FactKind.FACT_KIND_APPOINTMENT, "Appointments"),
    (FactKind.FACT_KIND_PROCEDURE, "Procedures"),
    (FactKind.FACT_KIND_IMMUNIZATION, "Immunizations"),
    (FactKind.FACT_KIND_IMAGING_FINDING, "Imaging"),
    (FactKind.FACT_KIND_DOCUMENT, "Documents"),
)
_TAPER: tuple[tuple[str, Literal["valid_from", "valid_to"]], ...] = (("from", "valid_from"), ("until", "valid_to"))


def timeline(
    patient: Patient,
    *,
    valid_at: Annotated[
        str | None,
        typer.Option(
            help="What held at this time, of each test the latest result that was known to hold; default: all times."
        ),
    ] = None,
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
    notice(record.view)
    if as_json:
        told = states(record.facts, complete=valid_at is None and known_at is None)
        print_json([forms.fact(recorded) | {"state": told[recorded.fact.fact_id]} for recorded in record.facts])
    else:
        show(screen(), patient, record, complete=valid_at is None and known_at is None)
    return True


def show(console: Console, patient: str, record: GetTimelineResponse, *, complete: bool = True) -> None:
    """The page: person first, results with trends, then the rest, then what contradicts itself.

    `complete`: it is all that the record holds now, and not as of another time.
    """
    told = states(record.facts, complete=complete)
    others = [text for key in record.identifiers if (text := format_patient(key)) != patient]
    linked = f"  also {', '.join(others)}" if others else ""
    console.print(Text.assemble((patient, "bold"), (f"{linked}  {len(record.facts)} facts\n", QUIET)))
    by_kind: dict[int, list[RecordedFact]] = defaultdict(list)
    for recorded in record.facts:
        by_kind[recorded.fact.kind].append(recorded)
    _show_results(console, by_kind[FactKind.FACT_KIND_RESULT])
    for kind, title in SECTIONS:
        _show_section(console, title, by_kind[kind], told)
    _show_contradictions(console, record)


def _show_results(console: Console, results: Sequence[RecordedFact]) -> None:
    """One line per test: its trend, first and latest value, and where the latest stands."""
    if not results:
        return
    page = table("Results", "test", "trend", ">first", ">latest", "unit", "on", ">n", "source of the latest")
    by_test: dict[tuple[str, ...], list[ClinicalFact]] = defaultdict(list)
    for result in sorted((recorded.fact for recorded in results), key=known_since):
        by_test[result.code.system, result.code.code, organism(result), result.quantity.unit].append(result)
    for facts in by_test.values():
        first, latest = facts[0], facts[-1]
        numbers = [number for fact in facts if (number := _number(fact)) is not None]
        row(
            page,
            ", ".join(filter(None, (latest.code.display or latest.code.code, organism(latest)))),
            styled(trend(console, numbers), ACCENT),
            _commented(first) if len(facts) > 1 else "",
            _flagged(latest),
            latest.quantity.unit,
            when(latest),
            str(len(facts)),
            styled(pointer(latest.source), QUIET),
        )
    console.print(page)


def when(result: ClinicalFact) -> str:
    """The day of a result or of a start; where nobody stated it, that and when it was reported."""
    if result.HasField("valid_from"):
        return day(_time(result, "valid_from"))
    stated = day(_time(result, "stated_at"))
    return f"time not stated, reported {stated}" if stated else "time not stated"


def _show_section(console: Console, title: str, facts: Sequence[RecordedFact], state_of: Mapping[str, str]) -> None:
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
            says(fact),
            state_of[fact.fact_id] + (" (partly from earlier statements)" if recorded.carried_from else ""),
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


def says(fact: ClinicalFact) -> str:
    """What a fact says beside its name."""
    parts = [
        "not present" if fact.assertion == Assertion.ASSERTION_ABSENT else "",
        _reading(fact),
        fact.quantity.unit,
        ", ".join(filter(None, map(_dosage, forms.dosages(fact)))),
        fact.note,
        fact.severity.display or fact.severity.code,
        _comments(fact),
    ]
    return " ".join(part for part in parts if part)


def _dosage(dosage: Dosage) -> str:
    """`1 to 2 tablet oral as needed`, and when in a taper."""
    high = f"to {dosage.dose_high.value}" if dosage.dose_high.value else ""
    times = [f"{word} {day(_time(dosage, name))}" for word, name in _TAPER if dosage.HasField(name)]
    parts = [dosage.dose.value, high, dosage.dose.unit or dosage.dose_high.unit]
    parts += [dosage.route, dosage.frequency or dosage.instruction, *times]
    return " ".join(part for part in parts if part)


def _comments(fact: ClinicalFact) -> str:
    """What the source remarked, which may change what a value is worth."""
    return f"(comment: {'; '.join(fact.comments)})" if fact.comments else ""


def _commented(fact: ClinicalFact) -> str:
    return f"{_reading(fact)} {_comments(fact)}".rstrip()


def _reading(fact: ClinicalFact) -> str:
    return fact.quantity.comparator + (forms.value_of(fact) or "")


def _flagged(fact: ClinicalFact) -> Text:
    flag = fact.abnormal_flag if fact.abnormal_flag != "N" else ""
    said = " ".join(filter(None, (_reading(fact), flag, _comments(fact))))
    return styled(said, BAD) if flag or fact.comments else Text(said)


def _number(fact: ClinicalFact) -> float | None:
    try:
        return float(fact.quantity.value)
    except ValueError:
        return None


def _time(message: ClinicalFact | Dosage, field: str) -> str | None:
    return forms.time_text(getattr(message, field)) if message.HasField(field) else None  # type: ignore[arg-type]
