"""The record drawn small: what was measured as trend lines, what happened and what was taken as a list of years."""

from datetime import UTC

from grounding import facts
from longitude.imaging.v1.events_pb2 import StudyAnalysed
from longitude.record.v1 import fact_pb2 as pb
from rich import box
from rich.table import Table
from rich.text import Text
from terminology import units
from terminology.concepts import LOINC, concept
from terminology.names import short_name

from demo import record as names
from demo.record import Point, Record, first_day, last_day
from demo.sparkline import sparkline

MEASURES = (
    names.EGFR,
    names.CREATININE,
    names.POTASSIUM,
    names.UREA_NITROGEN,
    names.ALBUMINURIA,
    names.HBA1C,
    names.HAEMOGLOBIN,
    names.SYSTOLIC,
    names.WEIGHT,
)

SCANNED = "* one of the values was read from a scanned page"
KINDS = {
    pb.FACT_KIND_ENCOUNTER: "visit",
    pb.FACT_KIND_PROBLEM: "problem",
    pb.FACT_KIND_ALLERGY: "allergy",
    pb.FACT_KIND_MEDICATION: "drug",
    pb.FACT_KIND_IMAGING_FINDING: "film",
}


def trends(record: Record) -> Table:
    """One line for each measure: its values in time as bars, and the first and the last with their months."""
    table = Table(box=box.SIMPLE_HEAD, title="Measured", title_justify="left", title_style="bold", caption=SCANNED)
    for heading in ("", "trend", "first", "", "last", ""):
        table.add_column(heading, justify="right" if heading in {"first", "last"} else "left", no_wrap=True)
    for code in MEASURES:
        if points := record.points(code):
            table.add_row(*_row(short_name(concept(LOINC, code)), points))
    return table


def _row(name: str, points: list[Point]) -> tuple[Text | str, ...]:
    first, last = points[0], points[-1]
    line = Text(sparkline([point.value for point in points]), style="cyan")
    scanned = any(point.fact.provenance == pb.PROVENANCE_READ_FROM_IMAGE for point in points)
    end = Text(f"{last.value:g} {units.printed(last.fact.quantity.unit)}", style="bold")
    return (f"{name} *" if scanned else name, line, f"{first.value:g}", first.day[:7], end, last.day[:7])


def course(record: Record) -> Table:
    """Encounters, problems, allergies and medications with their days."""
    table = Table(box=box.SIMPLE_HEAD, title="Course", title_justify="left", title_style="bold")
    for heading in ("from", "to", "", "what", "where it stands"):
        table.add_column(heading, no_wrap=heading in {"from", "to", ""})
    for fact in sorted(_course_of(record), key=lambda fact: (first_day(fact), fact.fact_id)):
        table.add_row(first_day(fact), _until(fact), *_what(fact), names.place(fact.source))
    return table


def _course_of(record: Record) -> list[pb.ClinicalFact]:
    return [fact for kind in KINDS for fact in record.of_kind(kind)]


def _until(fact: pb.ClinicalFact) -> str:
    """Its end; `…` while it goes on. Of an order without an end nobody knows whether it does."""
    if fact.HasField("valid_to"):
        return last_day(fact)
    return "" if fact.status == pb.FACT_STATUS_ENDED or fact.kind == pb.FACT_KIND_MEDICATION else "…"


def _what(fact: pb.ClinicalFact) -> tuple[str, Text]:
    style = "red" if fact.kind == pb.FACT_KIND_ALLERGY else "default"
    return KINDS[fact.kind], Text(
        f"{_denied(fact)}{fact.code.display or fact.code.code}{_dose(fact)}{_open(fact)}", style=style
    )


def _open(fact: pb.ClinicalFact) -> str:
    return ", ordered" if facts.is_open_order(fact) else ""


def _denied(fact: pb.ClinicalFact) -> str:
    plain = fact.assertion == pb.ASSERTION_ABSENT and not fact.code.display.lower().startswith("no ")
    return "no " if plain else ""


def _dose(fact: pb.ClinicalFact) -> str:
    return f" {facts.printed_dose(fact)}".rstrip()


def film(study: StudyAnalysed) -> Text:
    """What the network saw on the film, and from where on it says so."""
    seen = ", ".join(f"{f.name} {f.probability:.2f} (stated from {f.threshold:.2f})" for f in study.findings)
    shown = ", ".join(f"{attribute.name} {attribute.text}" for attribute in study.attributes)
    quality = "fit to be read" if study.quality.acceptable else f"not fit: {', '.join(study.quality.problems)}"
    when = names.day(study.acquired_at.ToDatetime(UTC))
    network = f"network {study.model.name} {study.model.version}, SHA-256 {study.model.sha256[:12]}…"
    return Text.assemble(("Film  ", "bold"), f"{when}, {shown}, {quality}: {seen}  ", (network, "dim"))
