"""Documents of MDM messages: the header (TXA) says which document and what becomes of it, the OBX are its content.

HL7 v2.5.1 chapter 9. A message with content states the document anew: every text and file of it is a part. One without
content (T01, T03, T05, T07, T09) says its status alone, of all that was stated under that number. A replacement (T09,
T10) makes its parent (TXA-13) obsolete, an addendum (T05, T06) leaves it; T11 cancels the document that TXA-12 names.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import coding_systems, documents
from terminology.concepts import LOINC

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.documents import Document, document
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.media import encapsulated, text_media_type
from ingestion.domain.facts.observations import TEXT_TYPES, joined_text
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

_TABLE_0270 = "HL70270"
_DOCUMENT_TYPES = coding_systems.uri(_TABLE_0270)
_ADDENDA = frozenset({"T05", "T06"})
_REPLACEMENTS = frozenset({"T09", "T10"})
_CANCELLATION = "T11"
_TEXTS = frozenset({*TEXT_TYPES, "ST"})
# Table 0271: states before authentication.
_UNFINISHED = frozenset({"DI", "DO", "IN", "IP", "PA"})
_AUTHENTICATED = frozenset({"AU", "LA"})
# Table 0273: CA deleted, OB obsolete, UN unavailable for patient care.
_WITHDRAWN = frozenset({"CA", "OB"})
_UNAVAILABLE = "UN"
# Table 0272: restricted, very restricted.
_RESTRICTED = frozenset({"R", "V"})
# OBX-11 (table 0085): this part is not of the document.
_NO_PART = frozenset({"D", "W", "X"})


@dataclass(frozen=True, slots=True)
class _Header:
    """What all facts of one TXA share."""

    txa: Segment
    code: pb.CodedConcept
    source_code: pb.CodedConcept
    authored: Timestamp | None
    groups: list[str]
    names: list[str]

    def fact(
        self, scope: Scope, segment: Segment, path: str, identity: pb.Identity, status: "pb.FactStatus.ValueType"
    ) -> pb.ClinicalFact:
        return scope.fact(
            segment,
            path,
            identity,
            kind=pb.FACT_KIND_DOCUMENT,
            code=self.code,
            source_code=self.source_code,
            valid_from=self.authored,
            status=status,
        )


def transcription(order: Order, scope: Scope) -> Iterator[Document | pb.ClinicalFact]:
    """What one TXA and its OBX say."""
    txa = order.first("TXA")
    assert txa is not None, "a transcription begins with its TXA"
    header = _header(txa, scope)
    _remark_on(txa, header, scope)
    withdrawn = scope.origin.trigger == _CANCELLATION or txa.get(19).upper() in _WITHDRAWN
    content = [] if withdrawn else list(_content(order, header, scope))
    yield from content or _of_status(header, scope, withdrawn=withdrawn)
    yield from _replaced(header, scope)


def _header(txa: Segment, scope: Scope) -> _Header:
    element = CodedElement.read(txa.value(2), default_system=_TABLE_0270)
    sent = scope.coding(element.primary)
    groups, parent = _numbers(txa, 12), _numbers(txa, 13)
    # An addendum that has no number of its own stands beside its parent, and is cancelled with it.
    own = bool(groups) and groups != parent
    names = [] if own or scope.origin.trigger not in _ADDENDA else [f"addendum:{scope.origin.event_id}"]
    return _Header(
        txa,
        _known_type(element) or sent,
        sent,
        scope.origin.time(txa, 4, 6, 7),
        groups or (parent if names else []),
        names,
    )


def _numbers(txa: Segment, field: int) -> list[str]:
    """The group ids of a document: its number in its namespace (EI.2, EI.3) decides; the number alone is an alias."""
    number = txa.get(field) or txa.get(field, 2)
    spaces = [txa.get(field, component) for component in ((2, 3) if txa.get(field) else (3,))]
    within = [f"document-in:{number}@{space}" for space in spaces if space]
    return [*within, f"document:{number}"] if number else []


def _known_type(element: CodedElement) -> pb.CodedConcept | None:
    """The LOINC type of a document: as coded, or of a value of HL7 table 0270. A local code may mean anything."""
    loinc = element.in_system(LOINC)
    if loinc is not None:
        return documents.of(loinc.public) or loinc.public
    value = element.in_system(_DOCUMENT_TYPES)
    return documents.of_type(value.code) if value else None


def _remark_on(txa: Segment, header: _Header, scope: Scope) -> None:
    trigger = scope.origin.trigger
    if not header.groups:
        scope.origin.remark(txa, 12, "no document number: a later message cannot name this document")
    if trigger in _REPLACEMENTS and not _numbers(txa, 13):
        scope.origin.remark(txa, 13, "a replacement that does not name what it replaces")
    if txa.get(18).upper() in _RESTRICTED:
        scope.origin.remark(txa, 18, "the document is restricted; the record shows it to all its readers")
    if txa.get(19).upper() == _UNAVAILABLE:
        scope.origin.remark(txa, 19, "not yet available for patient care; kept as preliminary")


def _content(order: Order, header: _Header, scope: Scope) -> Iterator[Document]:
    """The texts as one part, each file as another."""
    status = _status(header.txa) or pb.FACT_STATUS_FINAL
    lines = [obx for obx in order.all("OBX") if obx.get(11) not in _NO_PART]
    texts = [obx for obx in lines if obx.get(2) in _TEXTS]
    if text := joined_text(texts):
        yield _part(texts[0], "OBX-5", (text.encode(), text_media_type(text)), header, status, scope)
    for obx in lines:
        file = encapsulated(obx) if obx.get(2) == "ED" else None
        if file is not None:
            yield _part(obx, "OBX-5.5", file, header, status, scope)
        elif obx.get(2) not in _TEXTS:
            scope.origin.remark(obx, 5, "no text and no file: not taken as content of the document")


def _part(
    obx: Segment,
    path: str,
    content: tuple[bytes, str],
    header: _Header,
    status: "pb.FactStatus.ValueType",
    scope: Scope,
) -> Document:
    groups = header.groups or [f"message:{scope.origin.event_id}"]
    fact = header.fact(scope, obx, path, pb.Identity(groups=groups, names=header.names, part=obx.label), status)
    if header.authored is not None:
        fact.valid_to.CopyFrom(header.authored)
    return document(obx, content, fact)


def _status(txa: Segment) -> "pb.FactStatus.ValueType":
    """TXA-17, unless the document is not for use yet (TXA-19); unspecified where neither says anything."""
    if txa.get(17).upper() in _UNFINISHED or txa.get(19).upper() == _UNAVAILABLE:
        return pb.FACT_STATUS_PRELIMINARY
    return pb.FACT_STATUS_FINAL if txa.get(17).upper() in _AUTHENTICATED else pb.FACT_STATUS_UNSPECIFIED


def _of_status(header: _Header, scope: Scope, *, withdrawn: bool) -> Iterator[pb.ClinicalFact]:
    """A status without content: said of the whole document, or of this message alone where no number names one."""
    alone = bool(header.names) or not header.groups
    if withdrawn and alone:
        return
    groups = header.groups or [f"message:{scope.origin.event_id}"]
    identity = pb.Identity(groups=groups, names=header.names, whole_group=not alone)
    status = pb.FACT_STATUS_ENTERED_IN_ERROR if withdrawn else _status(header.txa)
    yield header.fact(scope, header.txa, header.txa.path(2), identity, status)


def _replaced(header: _Header, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """The parent of a replacement is obsolete, unless it is replaced under its own number."""
    parent = _numbers(header.txa, 13)
    if scope.origin.trigger in _REPLACEMENTS and not set(parent) <= set(header.groups):
        identity = pb.Identity(groups=parent, whole_group=True)
        path = header.txa.path(13)
        yield header.fact(scope, header.txa, path, identity, pb.FACT_STATUS_ENTERED_IN_ERROR)
