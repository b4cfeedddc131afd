"""The record drawn small: what was measured as trend lines, what happened and what was taken as a list of years."""

from longitude.ingestion.v1 import clinical_fact_pb2 as pb
from rich import box
from rich.table import Table
from rich.text import Text

from demo import record as names
from demo.record import Point, Record, first_day, last_day
from demo.sparkline import sparkline

MEASURES = (
    (names.EGFR, "eGFR"),
    (names.CREATININE, "creatinine"),
    (names.POTASSIUM, "potassium"),
    (names.UREA, "urea nitrogen"),
    (names.ALBUMINURIA, "albumin/creatinine"),
    (names.HBA1C, "HbA1c"),
    (names.HAEMOGLOBIN, "haemoglobin"),
    (names.SYSTOLIC, "systolic pressure"),
    (names.WEIGHT, "weight"),
)


def trends(record: Record) -> Table:
    """One line for each measure: its values in time as bars, the first, the last, and where they were read."""
    table = Table(box=box.SIMPLE_HEAD, title="Measured", title_justify="left", title_style="bold")
    for heading in ("", "trend", "first", "", "last", "", "values", "of which from a scan"):
        table.add_column(heading, justify="right" if heading in {"first", "last", "values"} else "left", no_wrap=True)
    for code, name in MEASURES:
        if points := record.points(code):
            table.add_row(*_row(name, points))
    return table


def _row(name: str, points: list[Point]) -> tuple[Text | str, ...]:
    first, last = points[0], points[-1]
    line = Text(sparkline([point.value for point in points]), style="cyan")
    scanned = sum(point.fact.provenance == pb.PROVENANCE_READ_FROM_IMAGE for point in points)
    end = Text(f"{last.value:g} {last.fact.quantity.unit}", style="bold")
    return (name, line, f"{first.value:g}", first.day, end, last.day, str(len(points)), str(scanned or ""))


def course(record: Record) -> Table:
    """Encounters, problems, allergies and medications with their days."""
    table = Table(box=box.SIMPLE_HEAD, title="Course", title_justify="left", title_style="bold")
    for heading in ("from", "to", "", "what", "where it stands"):
        table.add_column(heading, no_wrap=heading in {"from", "to"})
    for fact in sorted(_course_of(record), key=lambda fact: (first_day(fact), fact.fact_id)):
        table.add_row(first_day(fact), _until(fact), *_what(fact), names.place(fact.source))
    return table


def _course_of(record: Record) -> list[pb.ClinicalFact]:
    kinds = (pb.FACT_KIND_ENCOUNTER, pb.FACT_KIND_PROBLEM, pb.FACT_KIND_ALLERGY, pb.FACT_KIND_MEDICATION)
    return [fact for kind in (*kinds, pb.FACT_KIND_IMAGING_FINDING) for fact in record.of_kind(kind)]


def _until(fact: pb.ClinicalFact) -> str:
    if fact.HasField("valid_to"):
        return last_day(fact)
    return "" if fact.status == pb.FACT_STATUS_ENDED else "…"


def _what(fact: pb.ClinicalFact) -> tuple[str, Text]:
    kind = pb.FactKind.Name(fact.kind).removeprefix("FACT_KIND_").lower().replace("_", " ")
    style = "red" if fact.kind == pb.FACT_KIND_ALLERGY else "default"
    return kind, Text(f"{_denied(fact)}{fact.code.display or fact.code.code}{_dose(fact)}", style=style)


def _denied(fact: pb.ClinicalFact) -> str:
    plain = fact.assertion == pb.ASSERTION_ABSENT and not fact.code.display.lower().startswith("no ")
    return "no " if plain else ""


def _dose(fact: pb.ClinicalFact) -> str:
    dose = fact.dosage
    return f" {dose.dose.value} {dose.dose.unit} {dose.frequency}".rstrip() if dose.HasField("dose") else ""
