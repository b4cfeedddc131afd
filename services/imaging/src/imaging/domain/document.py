"""Builds the DocumentRead event: text, fields, and the facts they become, each pointing at where it was read.

Guarantee: no fact without its place (characters or page and box), none from a field the reader was not sure of, none
from a document that shows another patient's identifier, and the same reading gives the same facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.imaging.v1.events_pb2 import DocumentRead, ModelVersion, PageField
from longitude.ingestion.v1.events_pb2 import DocumentReceived
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    ASSERTION_PRESENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_RESULT,
    FACT_STATUS_ACTIVE,
    FACT_STATUS_FINAL,
    PROVENANCE_READ_FROM_IMAGE,
    PROVENANCE_READ_FROM_TEXT,
    Box,
    ClinicalFact,
    CodedConcept,
    Identity,
    Provenance,
    Quantity,
    ReferenceRange,
    SourcePointer,
)
from terminology.concepts import LOINC
from terminology.observables import Observable
from terminology.results import by_name

from imaging.domain.letters import AllergyStatement, find_allergies
from imaging.domain.page import Page
from imaging.domain.page_fields import (
    Field,
    collected_at,
    identifiers_in,
    printed_identifiers,
    read_fields,
    same_identifier,
)

TEXT_READER = ModelVersion(name="text", version="1")
"""What read a document that is text already: the rules of this version of the service."""

BLANK = "blank page: no text was found"
OTHER_PATIENT = "the document shows another patient identifier than the message: no facts were taken from it"


@dataclass(frozen=True, slots=True)
class Reader:
    """How readings are judged."""

    least_confidence: float
    """A field below becomes no fact."""
    zone: tzinfo
    """Where the clocks of the pages run."""


def reading_id(cause_id: str, model: ModelVersion) -> str:
    """The id of the DocumentRead event that follows from a DocumentReceived event."""
    return event_id("document-read", cause_id, model.name, model.version, model.sha256)


def unread(document: DocumentReceived, problem: str, model: ModelVersion = TEXT_READER) -> DocumentRead:
    """The answer for a document that could not be read."""
    return _read(document, "", model, problem)


def read_text(cause_id: str, document: DocumentReceived, text: str) -> DocumentRead:
    """The answer for a document that is text: allergy statements with their characters, unless it is about another."""
    event = _read(document, text, TEXT_READER, "" if text.strip() else BLANK)
    if _about_another(document, identifiers_in(text)):
        event.problem = OTHER_PATIENT
        return event
    origin = _Origin(reading_id(cause_id, TEXT_READER), document, PROVENANCE_READ_FROM_TEXT, 1.0)
    event.facts.extend(_allergies(origin, text))
    return event


def _about_another(document: DocumentReceived, shown: set[str]) -> bool:
    return not all(same_identifier(identifier, document.patient.id) for identifier in shown)


def read_pages(
    cause_id: str, document: DocumentReceived, pages: Sequence[Page], model: ModelVersion, reader: Reader
) -> DocumentRead:
    """The answer for scanned pages: fields always; facts unless a page is about somebody else."""
    text = "\n\n".join(page.text() for page in pages)
    fields = [read_fields(page) for page in pages]
    event = _read(document, text, model, "" if text.strip() else BLANK)
    event.fields.extend(_page_field(field) for on_page in fields for field in on_page)
    shown = {identifier for on_page in fields for identifier in printed_identifiers(on_page)}
    if _about_another(document, shown):
        event.problem = OTHER_PATIENT
        return event
    origin = _Origin(reading_id(cause_id, model), document, PROVENANCE_READ_FROM_IMAGE, _score(pages))
    for on_page in fields:
        event.facts.extend(_results(origin, on_page, reader))
    event.facts.extend(_allergies(origin, text) if origin.score >= reader.least_confidence else ())
    return event


@dataclass(frozen=True, slots=True)
class _Origin:
    """What all facts of one reading share."""

    reading: str
    document: DocumentReceived
    provenance: Provenance.ValueType
    score: float

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
        )


def _read(document: DocumentReceived, text: str, model: ModelVersion, problem: str) -> DocumentRead:
    return DocumentRead(
        document_id=document.document_id,
        patient=document.patient,
        text=text,
        problem=problem,
        model=model,
        authored_at=document.authored_at if document.HasField("authored_at") else None,
        title=document.title,
        source=document.source,
    )


def _page_field(field: Field) -> PageField:
    return PageField(
        name=field.name,
        text=field.text,
        value=f"{field.comparator}{field.value}",
        unit=field.unit,
        confidence=field.confidence,
        page=field.page,
        box=_box(field.box),
    )


def _box(box: tuple[float, float, float, float]) -> Box:
    return Box(left=box[0], top=box[1], width=box[2], height=box[3])


def _score(pages: Sequence[Page]) -> float:
    """The mean score of the lines: how well the page as a whole could be read."""
    scores = [line.score for page in pages for line in page.lines]
    return sum(scores) / len(scores) if scores else 0.0


def _results(origin: _Origin, fields: Sequence[Field], reader: Reader) -> Iterator[ClinicalFact]:
    taken = _stamp(collected_at(fields, reader.zone)) or origin.authored()
    for field in fields:
        code = by_name(field.name)
        if code is None or not field.value or field.confidence < reader.least_confidence:
            continue
        value = code.in_unit(Decimal(field.value), field.unit)
        if value is not None and _can_be_true(code.observable, value):
            yield _result(origin, field, code.observable, value, taken)


def _can_be_true(observable: Observable, value: Decimal) -> bool:
    """A lost decimal point is the likeliest error of a page: where no limits are known, nothing would show it."""
    return observable.low is not None and observable.high is not None and observable.plausible(value)


def _result(
    origin: _Origin, field: Field, observable: Observable, value: Decimal, taken: Timestamp | None
) -> ClinicalFact:
    printed = Quantity(value=field.value, unit=field.unit, comparator=field.comparator)
    pointer = origin.pointer()
    pointer.page = field.page
    pointer.box.CopyFrom(_box(field.box))
    same = field.unit == observable.unit and value == Decimal(field.value)
    place = f"{field.page}:{field.row}"
    return ClinicalFact(
        fact_id=event_id("page-result", origin.reading, place, observable.loinc, field.value, field.unit),
        kind=FACT_KIND_RESULT,
        patient=origin.document.patient,
        code=CodedConcept(system=LOINC, code=observable.loinc, display=observable.name),
        source_code=CodedConcept(system="urn:longitude:page", code=field.name, display=field.name),
        quantity=Quantity(value=str(value), unit=observable.unit, comparator=field.comparator),
        source_quantity=None if same else printed,
        valid_from=taken,
        valid_to=taken,
        status=FACT_STATUS_FINAL,
        assertion=ASSERTION_PRESENT,
        provenance=origin.provenance,
        confidence=field.confidence,
        identity=Identity(groups=[f"file:{origin.document.document_id}"], names=[f"page:{place}"]),
        # An interval is in the printed unit; beside a converted value only the text of it is true.
        reference_range=_reference(field, same=same),
        encounter_id=origin.document.encounter_id,
        source=pointer,
    )


def _reference(field: Field, *, same: bool) -> ReferenceRange | None:
    if not field.reference:
        return None
    if not same:
        return ReferenceRange(text=f"{field.reference} {field.unit}")
    low, dash, high = field.reference.replace("–", "-").partition("-")
    if not dash:
        return ReferenceRange(text=field.reference)
    return ReferenceRange(low=low.strip(), high=high.strip(), text=field.reference)


def _allergies(origin: _Origin, text: str) -> Iterator[ClinicalFact]:
    for statement in find_allergies(text):
        yield _allergy(origin, text, statement)


def _allergy(origin: _Origin, text: str, statement: AllergyStatement) -> ClinicalFact:
    substance = statement.substance
    words = " ".join(text[statement.start : statement.end].split())
    pointer = origin.pointer()
    pointer.text_start, pointer.text_end = statement.start, statement.end
    begun = _stamp(datetime(statement.year, 1, 1, tzinfo=UTC)) if statement.year else origin.authored()
    return ClinicalFact(
        fact_id=event_id(
            "letter-allergy", origin.reading, str(statement.start), substance.code, str(statement.present)
        ),
        kind=FACT_KIND_ALLERGY,
        patient=origin.document.patient,
        code=substance,
        source_code=CodedConcept(system="urn:longitude:text", code=words, display=words),
        valid_from=begun,
        status=FACT_STATUS_ACTIVE,
        assertion=ASSERTION_PRESENT if statement.present else ASSERTION_ABSENT,
        provenance=origin.provenance,
        confidence=round(statement.confidence * origin.score, 4),
        identity=Identity(groups=[f"file:{origin.document.document_id}"], names=[f"allergy:{substance.code}"]),
        encounter_id=origin.document.encounter_id,
        note=statement.reaction,
        source=pointer,
    )


def _stamp(instant: datetime | None) -> Timestamp | None:
    if instant is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(instant.astimezone(UTC))
    return stamp
