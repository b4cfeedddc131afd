"""Documents among observations: encapsulated data in results, and texts too long for a fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import documents, reports
from terminology.concepts import LOINC

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.media import encapsulated
from ingestion.domain.facts.observations import Observation, Report
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

TEXT_MEDIA_TYPE = "text/plain; charset=utf-8"


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
    instance: int = 0
    comments: Sequence[str] = ()


def attached_documents(report: Report, scope: Scope) -> Iterator[Document]:
    """Encapsulated data and long texts among the observations of an order or a person."""
    for observation in report.observations:
        if not observation.is_document:
            continue
        obx, frame = observation.obx, _attachment_frame(observation, scope)
        if obx.get(2) != "ED":
            yield _document(obx, "OBX-5", observation.text.encode(), TEXT_MEDIA_TYPE, frame, scope)
        elif content := encapsulated(obx):
            yield _document(obx, "OBX-5.5", *content, frame, scope)
        else:
            scope.origin.remark(obx, 5, "encapsulated data is empty")


def _attachment_frame(observation: Observation, scope: Scope) -> _Frame:
    element = observation.element
    sent = scope.coding(element.primary)
    loinc = element.in_system(LOINC)
    code = (documents.of(loinc.public) or reports.of(loinc.public) or loinc.public) if loinc else sent
    groups, names = observation.report.groups, observation.names
    return _Frame(
        code, sent, observation.time, groups, names, observation.status, observation.instance, observation.comments
    )


def _document(obx: Segment, path: str, content: bytes, media_type: str, frame: _Frame, scope: Scope) -> Document:
    groups = frame.groups or [f"message:{scope.origin.event_id}"]
    fact = scope.fact(
        obx,
        path,
        pb.Identity(groups=groups, names=frame.names, instance=frame.instance, part=obx.label),
        kind=pb.FACT_KIND_DOCUMENT,
        code=frame.code,
        source_code=frame.source_code,
        valid_from=frame.authored,
        valid_to=frame.authored,
        status=frame.status,
        comments=frame.comments,
    )
    return document(obx, (content, media_type), fact)


def document(obx: Segment, content: tuple[bytes, str], fact: pb.ClinicalFact) -> Document:
    """A document of its own id; `content` is bytes and media type. What is read from it is in its file's group."""
    document_id = event_id("document", fact.source.event_id, obx.label)
    fact.source.document_id = document_id
    fact.identity.groups.append(f"file:{document_id}")
    return Document(*content, CodedElement.read(obx.value(3)).primary.text or fact.code.display, fact)
