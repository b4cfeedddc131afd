"""Documents among observations: encapsulated data in results, and texts too long for a fact."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import documents, reports
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
    authored: Timestamp
    groups: list[str]
    names: list[str]
    status: "pb.FactStatus.ValueType"


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


def _attachment_frame(obx: Segment, order: Order, scope: Scope) -> _Frame:
    element = CodedElement.read(obx.value(3))
    sent = scope.coding(element.primary)
    loinc = element.in_system(LOINC)
    code = (documents.of(loinc.public) or reports.of(loinc.public) or loinc.public) if loinc else sent
    groups, names = order.filled_as(), [f"{sent.code}/{obx.get(4)}"]
    return _Frame(code, sent, observation_time(obx, order, scope), groups, names, pb.FACT_STATUS_FINAL)


def _document(obx: Segment, path: str, content: bytes, media_type: str, frame: _Frame, scope: Scope) -> Document:
    groups = frame.groups or [f"message:{scope.origin.event_id}"]
    fact = scope.fact(
        obx,
        path,
        pb.Identity(groups=groups, names=frame.names, part=obx.label),
        kind=pb.FACT_KIND_DOCUMENT,
        code=frame.code,
        source_code=frame.source_code,
        valid_from=frame.authored,
        valid_to=frame.authored,
        status=frame.status,
    )
    return document(obx, (content, media_type), fact)


def document(obx: Segment, content: tuple[bytes, str], fact: pb.ClinicalFact) -> Document:
    """A document of its own id; `content` is bytes and media type. What is read from it is in its file's group."""
    document_id = event_id("document", fact.source.event_id, obx.label)
    fact.source.document_id = document_id
    fact.identity.groups.append(f"file:{document_id}")
    return Document(*content, CodedElement.read(obx.value(3)).primary.text or fact.code.display, fact)
