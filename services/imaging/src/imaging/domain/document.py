"""Builds the DocumentRead event: text, fields, and the facts they become, each pointing at where it was read.

Guarantee: no fact without its place (characters or page and box), none from a field the reader was not sure of, none
from a document that shows another patient's identifier, and the same reading gives the same facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.imaging.v1.events_pb2 import DocumentRead, ModelVersion, PageField
from longitude.ingestion.v1.events_pb2 import DocumentReceived
from longitude.record.v1.fact_pb2 import (
    ASSERTION_PRESENT,
    FACT_KIND_RESULT,
    FACT_STATUS_FINAL,
    PROVENANCE_READ_FROM_IMAGE,
    PROVENANCE_READ_FROM_TEXT,
    Box,
    ClinicalFact,
    CodedConcept,
    Identity,
    Quantity,
    ReferenceRange,
)
from terminology.concepts import LOINC
from terminology.observables import Observable
from terminology.results import by_name

from imaging.domain.page import Page, TextPage
from imaging.domain.page_fields import (
    Field,
    collected_at,
    identifiers_in,
    printed_identifiers,
    read_fields,
    same_identifier,
)
from imaging.domain.told import Origin, stamp, told

TEXT_READER = ModelVersion(name="text", version="2")
"""What read a document that is text already: the rules of this version of the service."""

_BETWEEN = "\n\n"
"""What parts two pages in the text of a document."""
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
    """The answer for a document that is text."""
    return read(cause_id, document, [TextPage(0, text)], TEXT_READER, Reader(0.0, UTC))


def read(
    cause_id: str, document: DocumentReceived, pages: Sequence[Page | TextPage], model: ModelVersion, reader: Reader
) -> DocumentRead:
    """The answer for pages: text and fields always; facts unless a page is about somebody else."""
    texts = [page.text() for page in pages]
    text = _BETWEEN.join(texts)
    event = _read(document, text, model, "" if text.strip() else BLANK)
    shown: set[str] = set()
    reading = reading_id(cause_id, model)
    start = 0
    for page, own in zip(pages, texts, strict=True):
        fields = read_fields(page) if isinstance(page, Page) else []
        event.fields.extend(map(_page_field, fields))
        shown |= printed_identifiers(fields) if isinstance(page, Page) else identifiers_in(own)
        origin = _origin(reading, document, page)
        event.facts.extend(_results(origin, fields, reader))
        if origin.score >= reader.least_confidence:
            event.facts.extend(told(origin, own, start))
        start += len(own) + len(_BETWEEN)
    if not all(same_identifier(identifier, document.patient.id) for identifier in shown):
        event.problem = OTHER_PATIENT
        event.ClearField("facts")
    return event


def _origin(reading: str, document: DocumentReceived, page: Page | TextPage) -> Origin:
    if isinstance(page, TextPage):
        return Origin(reading, document, PROVENANCE_READ_FROM_TEXT, 1.0, page.number)
    return Origin(reading, document, PROVENANCE_READ_FROM_IMAGE, _score(page), page.number)


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


def _score(page: Page) -> float:
    """The mean score of the lines: how well the page as a whole could be read."""
    return sum(line.score for line in page.lines) / len(page.lines) if page.lines else 0.0


def _results(origin: Origin, fields: Sequence[Field], reader: Reader) -> Iterator[ClinicalFact]:
    taken = stamp(collected_at(fields, reader.zone)) or origin.authored()
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
    origin: Origin, field: Field, observable: Observable, value: Decimal, taken: Timestamp | None
) -> ClinicalFact:
    printed = Quantity(value=field.value, unit=field.unit, comparator=field.comparator)
    pointer = origin.pointer()
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
