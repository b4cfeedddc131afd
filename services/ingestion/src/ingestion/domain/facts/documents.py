"""Documents inside messages: TXA with its OBX (MDM), encapsulated data in results, and texts too long for a fact."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import coding_systems, documents, reports
from terminology.concepts import LOINC

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.media import encapsulated
from ingestion.domain.facts.results import TEXT_TYPES, joined_text, observation_time, text_blocks
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

TEXT_MEDIA_TYPE = "text/plain; charset=utf-8"
# A longer text in one observation is a document.
LONGEST_FACT_TEXT = 4_000
_TABLE_0270 = "HL70270"
_DOCUMENT_TYPES = coding_systems.uri(_TABLE_0270)
# HL7 table 0271: completion states before authentication.
_UNFINISHED = frozenset({"DI", "DO", "IN", "IP", "PA"})
# T11: the document is cancelled. Table 0273: CA deleted, OB obsolete.
_CANCELLATION = "T11"
_WITHDRAWN = frozenset({"CA", "OB"})


@dataclass(frozen=True, slots=True)
class Document:
    """A document taken out of a message, and the fact that it exists."""

    content: bytes
    media_type: str
    title: str
    fact: pb.ClinicalFact

    @property
    def document_id(self) -> str:
        """Deterministic: the message and the place in it."""
        return self.fact.source.document_id


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the parts of one document share."""

    code: pb.CodedConcept
    source_code: pb.CodedConcept
    authored: Timestamp | None
    groups: list[str]
    names: list[str]
    status: "pb.FactStatus.ValueType"


def described_documents(order: Order, scope: Scope) -> Iterator[Document | pb.ClinicalFact]:
    """TXA and its OBX: the texts as one document, each file as another. Without any content: the fact alone."""
    txa = order.first("TXA")
    if txa is None:
        return
    frame = _frame(txa, scope)
    texts = [obx for obx in order.all("OBX") if obx.get(2) in {*TEXT_TYPES, "ST"}]
    text = joined_text(texts)
    found = 0
    if text:
        found += 1
        yield _document(texts[0], "OBX-5", text.encode(), TEXT_MEDIA_TYPE, frame, scope)
    for obx in order.all("OBX"):
        content = encapsulated(obx) if obx.get(2) == "ED" else None
        if content is not None:
            found += 1
            yield _document(obx, "OBX-5.5", *content, frame, scope)
    if not found:
        yield _fact(txa, txa.path(2), frame, scope, "")


def attached_documents(order: Order, scope: Scope) -> Iterator[Document]:
    """Encapsulated data and long texts among the observations of an order or a person."""
    for lines in text_blocks(order.all("OBX")):
        obx = lines[0]
        if obx.get(2) == "ED":
            content = encapsulated(obx)
            if content is None:
                scope.origin.remark(obx, 5, "encapsulated data is empty")
            else:
                yield _document(obx, "OBX-5.5", *content, _attachment_frame(obx, order, scope), scope)
        elif is_long_text(lines):
            text = joined_text(lines).encode()
            yield _document(obx, "OBX-5", text, TEXT_MEDIA_TYPE, _attachment_frame(obx, order, scope), scope)


def is_long_text(lines: list[Segment]) -> bool:
    """Whether a text block is kept as a document instead of a result."""
    return lines[0].get(2) in TEXT_TYPES and sum(len(line.raw(5)) for line in lines) > LONGEST_FACT_TEXT


def _frame(txa: Segment, scope: Scope) -> _Frame:
    element = CodedElement.read(txa.value(2), default_system=_TABLE_0270)
    sent = scope.coding(element.primary)
    code = _known_type(element) or sent
    number = txa.get(12) or txa.get(12, 2)
    groups = [f"document:{number}"] if number else []
    return _Frame(code, sent, scope.time(txa, 4, 6, 7), groups, [], _document_status(txa, scope))


def _known_type(element: CodedElement) -> pb.CodedConcept | None:
    """The LOINC type of a document: as coded, or of a value of HL7 table 0270. A local code may mean anything."""
    loinc = element.in_system(LOINC)
    if loinc is not None:
        return documents.of(loinc.public) or loinc.public
    value = element.in_system(_DOCUMENT_TYPES)
    return documents.of_type(value.code) if value else None


def _document_status(txa: Segment, scope: Scope) -> "pb.FactStatus.ValueType":
    if scope.origin.trigger == _CANCELLATION or txa.get(19) in _WITHDRAWN:
        return pb.FACT_STATUS_ENTERED_IN_ERROR
    return pb.FACT_STATUS_PRELIMINARY if txa.get(17) in _UNFINISHED else pb.FACT_STATUS_FINAL


def _attachment_frame(obx: Segment, order: Order, scope: Scope) -> _Frame:
    element = CodedElement.read(obx.value(3))
    sent = scope.coding(element.primary)
    loinc = element.in_system(LOINC)
    code = (documents.of(loinc.public) or reports.of(loinc.public) or loinc.public) if loinc else sent
    groups, names = order.filled_as(), [f"{sent.code}/{obx.get(4)}"]
    return _Frame(code, sent, observation_time(obx, order, scope), groups, names, pb.FACT_STATUS_FINAL)


def _document(obx: Segment, path: str, content: bytes, media_type: str, frame: _Frame, scope: Scope) -> Document:
    document_id = event_id("document", scope.origin.event_id, obx.label)
    fact = _fact(obx, path, frame, scope, document_id)
    return Document(content, media_type, CodedElement.read(obx.value(3)).primary.text or frame.code.display, fact)


def _fact(segment: Segment, path: str, frame: _Frame, scope: Scope, document_id: str) -> pb.ClinicalFact:
    fact = scope.fact(
        segment,
        path,
        _identity(frame, scope, segment, document_id),
        kind=pb.FACT_KIND_DOCUMENT,
        code=frame.code,
        source_code=frame.source_code,
        valid_from=frame.authored,
        valid_to=frame.authored,
        status=frame.status,
    )
    fact.source.document_id = document_id
    return fact


def _identity(frame: _Frame, scope: Scope, segment: Segment, document_id: str) -> pb.Identity:
    """Each file of a document is a part; what is read from it is in a group of its own, and falls with it."""
    groups = [
        *(frame.groups or [f"message:{scope.origin.event_id}"]),
        *([f"file:{document_id}"] if document_id else []),
    ]
    return pb.Identity(groups=groups, names=frame.names, part="" if segment.name == "TXA" else segment.label)
