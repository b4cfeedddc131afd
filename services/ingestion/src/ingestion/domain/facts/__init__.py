"""From a parsed message to what it says about patients: facts, documents and links between identifiers.

Each kind of fact has a module of its own; this one knows which segments belong to which.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from longitude.ingestion.v1.events_pb2 import PatientIdentity, Remark
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import IdentityLink

from ingestion.domain import identity
from ingestion.domain.facts.allergies import allergy
from ingestion.domain.facts.demographics import demographics
from ingestion.domain.facts.documents import Document, attached_documents, is_long_text
from ingestion.domain.facts.encounters import encounter
from ingestion.domain.facts.groups import Order, Person, persons
from ingestion.domain.facts.immunizations import immunizations
from ingestion.domain.facts.medications import administrations, medication
from ingestion.domain.facts.problems import diagnosis, problem
from ingestion.domain.facts.procedures import ORDER_MESSAGES, ordered_procedure, procedure
from ingestion.domain.facts.results import results, text_blocks
from ingestion.domain.facts.scope import Origin, Scope, with_id
from ingestion.domain.facts.transcriptions import transcription
from ingestion.domain.hl7 import Message, Segment

# ORC-1: an order that is replaced, and those that stand in its place (HL7 table 0119).
_REPLACED = "RP"
_REPLACEMENTS = frozenset({"RO", "RU"})
_STATEMENTS: dict[str, Callable[[Segment, Scope], Iterator[pb.ClinicalFact]]] = {
    "DG1": diagnosis,
    "PRB": problem,
    "AL1": allergy,
    "IAM": allergy,
    "PR1": procedure,
}

__all__ = ["Document", "Normalised", "Origin", "normalise"]


@dataclass(frozen=True, slots=True)
class Normalised:
    """What a message says. Without a patient there are no facts."""

    patient: PatientIdentity | None
    facts: list[pb.ClinicalFact] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    links: list[IdentityLink] = field(default_factory=list)


def normalise(message: Message, origin: Origin, default_authority: str) -> Normalised:
    """RefusedError when the message cannot be understood as what it claims to be."""
    fallback = identity.sender_of(message, default_authority)
    people = persons(message.segments)
    if not people:
        origin.remarks.append(Remark(segment="PID[1]", reason="absent; no facts"))
        return Normalised(None)
    found = Normalised(identity.identity_of(people[0].pid, fallback))
    for person in people:
        for item in _statements(message, person, origin, fallback):
            _add(item, found)
    for link, mrg in identity.identity_links(message, fallback):
        if identity.is_self_link(link):
            origin.remark(mrg, 1, "an identifier merged into itself is no merge")
        else:
            found.links.append(link)
    return found


def _add(item: Document | pb.ClinicalFact, normalised: Normalised) -> None:
    fact = item.fact if isinstance(item, Document) else item
    normalised.facts.append(with_id(fact))
    if isinstance(item, Document):
        normalised.documents.append(item)


def _statements(
    message: Message, person: Person, origin: Origin, fallback: str
) -> Iterator[Document | pb.ClinicalFact]:
    visit = person.visit.get(19) if person.visit else ""
    scope = Scope(origin, identity.patient_keys(person.pid, fallback)[0], visit)
    yield from demographics(person.pid, scope)
    if person.visit is not None:
        yield from encounter(message, person.visit, person.pid, scope)
    for segment in person.statements:
        if segment.name in _STATEMENTS:
            yield from _STATEMENTS[segment.name](segment, scope)
    loose = Order([segment for segment in person.statements if segment.name == "OBX"])
    for order in chain([loose], person.orders):
        yield from _order(message, order, person, scope)


def _order(message: Message, order: Order, person: Person, scope: Scope) -> Iterator[Document | pb.ClinicalFact]:
    if order.first("TXA") is not None:
        yield from transcription(order, scope)
        return
    code = message.header.get(9)
    yield from medication(order, scope, replaced=_is_replaced(order, person))
    yield from immunizations(order, scope) if code == "VXU" else administrations(order, scope)
    if code in ORDER_MESSAGES:
        yield from ordered_procedure(order, scope)
    yield from attached_documents(order, scope)
    yield from results(_without_long_texts(order), scope)


def _is_replaced(order: Order, person: Person) -> bool:
    return order.control == _REPLACED and any(
        other.control in _REPLACEMENTS and other.placed_as() != order.placed_as() for other in person.orders
    )


def _without_long_texts(order: Order) -> Order:
    long = {id(line) for lines in text_blocks(order.all("OBX")) if is_long_text(lines) for line in lines}
    return Order([segment for segment in order.segments if id(segment) not in long]) if long else order
