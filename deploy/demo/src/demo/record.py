"""The patient's record as the demo looks at it: current facts with names for the questions that are asked of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from longitude.memory.v1.memory_service_pb2 import GetTimelineResponse
from longitude.record.v1 import fact_pb2 as pb
from terminology import drugs
from terminology.observables import by_id

EGFR, CREATININE, POTASSIUM, UREA_NITROGEN = (
    by_id()[name].loinc for name in ("egfr", "creatinine", "potassium", "urea-nitrogen")
)
HBA1C, HAEMOGLOBIN, ALBUMINURIA = (by_id()[name].loinc for name in ("hba1c", "haemoglobin", "albumin-creatinine-ratio"))
SYSTOLIC, WEIGHT = by_id()["systolic-blood-pressure"].loinc, by_id()["body-weight"].loinc


def _ingredient(name: str) -> str:
    """The code by which the record has an ingredient."""
    known = drugs.by_name(name)
    if known is None:
        raise LookupError(f"{name} is no ingredient of terminology")
    return drugs.concept_of(known).code


METFORMIN, LISINOPRIL, NAPROXEN = map(_ingredient, ("metformin", "lisinopril", "naproxen"))


@dataclass(frozen=True)
class Point:
    """One measured value: its day, its number, and the fact it comes from."""

    day: str
    value: float
    fact: pb.ClinicalFact


class Record:
    """All current facts of a patient."""

    def __init__(self, timeline: GetTimelineResponse) -> None:
        self.facts = [recorded.fact for recorded in timeline.facts]
        self.identifiers = list(timeline.identifiers)
        self.contradictions = list(timeline.contradictions)

    def of_kind(self, kind: pb.FactKind.ValueType) -> list[pb.ClinicalFact]:
        """Facts of one kind, in order of time."""
        return [fact for fact in self.facts if fact.kind == kind]

    def points(self, code: str) -> list[Point]:
        """The values of a LOINC code of which the time is known, in its order."""
        results = (f for f in self.of_kind(pb.FACT_KIND_RESULT) if f.code.code == code)
        measured = [f for f in results if f.HasField("quantity") and f.HasField("valid_from")]
        return sorted(
            (Point(day(f.valid_from.ToDatetime(UTC)), float(f.quantity.value), f) for f in measured), key=_when
        )

    def medication(self, code: str) -> list[pb.ClinicalFact]:
        """Orders of a RxNorm ingredient."""
        return [fact for fact in self.of_kind(pb.FACT_KIND_MEDICATION) if fact.code.code == code]

    def by_id(self) -> dict[str, pb.ClinicalFact]:
        """Facts by their id."""
        return {fact.fact_id: fact for fact in self.facts}


def _when(point: Point) -> tuple[int, str]:
    return point.fact.valid_from.ToNanoseconds(), point.fact.fact_id


def day(time: datetime) -> str:
    """YYYY-MM-DD."""
    return f"{time:%Y-%m-%d}"


def first_day(fact: pb.ClinicalFact) -> str:
    """The day from which the fact holds; empty where nobody stated it."""
    return day(fact.valid_from.ToDatetime(UTC)) if fact.HasField("valid_from") else ""


def last_day(fact: pb.ClinicalFact) -> str:
    """The day to which it holds; empty while it goes on."""
    return day(fact.valid_to.ToDatetime(UTC)) if fact.HasField("valid_to") else ""


def place(source: pb.SourcePointer) -> str:
    """A source pointer in a few characters: `NW0003 OBX[2] OBX-5`, a page with its box, a film."""
    if source.sop_instance_uid:
        return f"film …{source.sop_instance_uid[-6:]}"
    parts = [source.control_id, source.segment, source.field]
    if source.page:
        parts.append(f"page {source.page}")
    elif source.text_end:
        parts.append(f"characters {source.text_start}-{source.text_end}")
    return " ".join(part for part in parts if part)


def control_ids(facts: Iterable[pb.ClinicalFact]) -> set[str]:
    """The messages that facts came from."""
    return {fact.source.control_id for fact in facts if fact.source.control_id}
