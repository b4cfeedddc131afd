"""Documents among observations: encapsulated data in results, and texts too long for a fact."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.identifiers import event_id
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


def attached_documents(report: Report, scope: Scope) -> Iterator[Document]:
    """Encapsulated data and long texts among the observations of an order or a person."""
    for observation in report.observations:
        if not observation.is_document:
            continue
        obx = observation.obx
        if obx.get(2) != "ED":
            yield _document(observation, "OBX-5", (observation.text.encode(), TEXT_MEDIA_TYPE), scope)
        elif content := encapsulated(obx):
            yield _document(observation, "OBX-5.5", content, scope)
        else:
            scope.origin.remark(obx, 5, "encapsulated data is empty")


def _document(observation: Observation, path: str, content: tuple[bytes, str], scope: Scope) -> Document:
    obx = observation.obx
    sent = scope.coding(observation.element.primary)
    loinc = observation.element.in_system(LOINC)
    identity = observation.identity(obx.label)
    if not identity.groups:
        identity.groups.append(f"message:{scope.origin.event_id}")
    fact = scope.fact(
        obx,
        path,
        identity,
        kind=pb.FACT_KIND_DOCUMENT,
        code=(documents.of(loinc.public) or reports.of(loinc.public) or loinc.public) if loinc else sent,
        source_code=sent,
        valid_from=observation.time,
        valid_to=observation.time,
        status=observation.status,
        comments=observation.comments,
    )
    return document(obx, content, fact)


def document(obx: Segment, content: tuple[bytes, str], fact: pb.ClinicalFact) -> Document:
    """A document of its own id; `content` is bytes and media type. What is read from it is in its file's group."""
    document_id = event_id("document", fact.source.event_id, obx.label)
    fact.source.document_id = document_id
    fact.identity.groups.append(f"file:{document_id}")
    return Document(*content, CodedElement.read(obx.value(3)).primary.text or fact.code.display, fact)
