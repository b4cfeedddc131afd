"""What a text tells about the patient, as facts with the characters that say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.ingestion.v1.events_pb2 import DocumentReceived
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    ASSERTION_PRESENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    FACT_STATUS_ACTIVE,
    FACT_STATUS_ENDED,
    FACT_STATUS_FINAL,
    ClinicalFact,
    CodedConcept,
    Identity,
    Provenance,
    SourcePointer,
)
from terminology.loinc import FAMILY_HISTORY, concept

from imaging.domain.letters import AllergyStatement, find_allergies
from imaging.domain.narrative import (
    DenialStatement,
    FamilyStatement,
    StopStatement,
    find_denials,
    find_family,
    find_stops,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What all facts of one page share; number 0 where the document has no pages."""

    reading: str
    document: DocumentReceived
    provenance: Provenance.ValueType
    score: float
    page: int

    def authored(self) -> Timestamp | None:
        return self.document.authored_at if self.document.HasField("authored_at") else None

    def pointer(self) -> SourcePointer:
        """Into the reading, with the message that the document travelled in."""
        return SourcePointer(
            event_id=self.reading,
            control_id=self.document.source.control_id,
            segment=self.document.source.segment,
            field=self.document.source.field,
            document_id=self.document.document_id,
            page=self.page,
        )


def stamp(instant: datetime | None) -> Timestamp | None:
    if instant is None:
        return None
    at = Timestamp()
    at.FromDatetime(instant.astimezone(UTC))
    return at


def told(origin: Origin, text: str, offset: int) -> Iterator[ClinicalFact]:
    """The facts of a page whose text begins at character `offset` of the document."""
    for allergy in find_allergies(text):
        yield _Quote(origin, text, offset, allergy.start, allergy.end, allergy.confidence).allergy(allergy)
    for family in find_family(text):
        yield _Quote(origin, text, offset, family.start, family.end, family.confidence).family(family)
    for denial in find_denials(text):
        yield _Quote(origin, text, offset, denial.start, denial.end, denial.confidence).denial(denial)
    for stop in find_stops(text):
        yield _Quote(origin, text, offset, stop.start, stop.end, stop.confidence).stop(stop)


@dataclass(frozen=True, slots=True)
class _Quote:
    """Characters [start, end) of a page, and the fact that they make."""

    origin: Origin
    text: str
    offset: int
    start: int
    end: int
    confidence: float

    def allergy(self, statement: AllergyStatement) -> ClinicalFact:
        begun = stamp(datetime(statement.year, 1, 1, tzinfo=UTC)) if statement.year else self.origin.authored()
        return self._fact(
            f"allergy:{statement.substance.code}",
            kind=FACT_KIND_ALLERGY,
            code=statement.substance,
            valid_from=begun,
            status=FACT_STATUS_ACTIVE,
            assertion=ASSERTION_PRESENT if statement.present else ASSERTION_ABSENT,
            note=statement.reaction,
        )

    def family(self, statement: FamilyStatement) -> ClinicalFact:
        """A result, as a structured family history is one; the relative stands in the note."""
        return self._fact(
            f"family:{statement.relative}:{statement.condition.display}",
            kind=FACT_KIND_RESULT,
            code=concept(FAMILY_HISTORY),
            coded=statement.condition,
            valid_from=self.origin.authored(),
            valid_to=self.origin.authored(),
            status=FACT_STATUS_FINAL,
            assertion=ASSERTION_PRESENT if statement.present else ASSERTION_ABSENT,
            note=statement.relative,
        )

    def denial(self, statement: DenialStatement) -> ClinicalFact:
        """Of the day of the letter alone: what is denied once may come later."""
        return self._fact(
            f"denied:{statement.finding.display}",
            kind=FACT_KIND_PROBLEM,
            code=statement.finding,
            valid_from=self.origin.authored(),
            valid_to=self.origin.authored(),
            status=FACT_STATUS_ACTIVE,
            assertion=ASSERTION_ABSENT,
        )

    def stop(self, statement: StopStatement) -> ClinicalFact:
        """A medication that had ended by the day of the letter; why is the note."""
        return self._fact(
            f"stopped:{statement.drug.code}",
            kind=FACT_KIND_MEDICATION,
            code=statement.drug,
            valid_to=self.origin.authored(),
            status=FACT_STATUS_ENDED,
            assertion=ASSERTION_PRESENT,
            note=statement.reason,
        )

    def _fact(self, name: str, **content: object) -> ClinicalFact:
        words = " ".join(self.text[self.start : self.end].split())
        origin, pointer = self.origin, self.origin.pointer()
        pointer.text_start, pointer.text_end = self.offset + self.start, self.offset + self.end
        return ClinicalFact(
            fact_id=event_id("told", origin.reading, str(pointer.text_start), name, str(content["assertion"])),
            patient=origin.document.patient,
            source_code=CodedConcept(system="urn:longitude:text", code=words, display=words),
            provenance=origin.provenance,
            confidence=round(self.confidence * origin.score, 4),
            identity=Identity(groups=[f"file:{origin.document.document_id}"], names=[name]),
            encounter_id=origin.document.encounter_id,
            source=pointer,
            **content,  # type: ignore[arg-type]
        )
