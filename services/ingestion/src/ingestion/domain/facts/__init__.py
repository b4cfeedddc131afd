"""From a parsed message to what it says about patients: facts, documents and links between identifiers.

Each kind of fact has a module of its own; this one knows which segments belong to which.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from longitude.ingestion.v1.events_pb2 import PatientIdentity, Remark
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import IdentityLink

from ingestion.domain import identity
from ingestion.domain.facts import orders
from ingestion.domain.facts.allergies import allergy
from ingestion.domain.facts.appointments import appointments
from ingestion.domain.facts.charges import charges
from ingestion.domain.facts.deaths import accident, death
from ingestion.domain.facts.demographics import demographics
from ingestion.domain.facts.documents import Document, attached_documents
from ingestion.domain.facts.encounters import encounters
from ingestion.domain.facts.groups import Order, Person, persons
from ingestion.domain.facts.observations import reports
from ingestion.domain.facts.problems import diagnosis, problem
from ingestion.domain.facts.procedures import procedure
from ingestion.domain.facts.results import results
from ingestion.domain.facts.scope import Origin, Scope, with_id
from ingestion.domain.facts.transcriptions import transcription
from ingestion.domain.hl7 import Message, Segment
from ingestion.domain.identity import Numbers
from ingestion.domain.message_type import is_refusal, type_answered

_STATEMENTS: dict[str, Callable[[Segment, Scope], Iterator[pb.ClinicalFact]]] = {
    "DG1": diagnosis,
    "PRB": problem,
    "AL1": allergy,
    "IAM": allergy,
    "PR1": procedure,
    "PDA": death,
    "ACC": accident,
}

# ORC-1, HL7 table 0119.
_UNABLE_TO_ACCEPT = "UA"

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
    numbers = Numbers.of(message, origin.rules, origin.said_at, default_authority)
    people = persons(message.segments)
    if not people:
        origin.remarks.append(Remark(segment="PID[1]", reason="absent; no facts"))
        return Normalised(None)
    for segment in takewhile(lambda each: each.name != "PID", message.segments):
        if segment.name == "NTE":
            origin.remark(segment, 3, "a note on the message is not read")
    keys = [identity.patient_key(person.pid, numbers) for person in people]
    named = ((person.pid, key) for person, key in zip(people, keys, strict=True) if key is not None)
    found = Normalised(next((identity.identity_of(pid, key, numbers) for pid, key in named), None))
    for person, key in zip(people, keys, strict=True):
        if key is None:
            origin.remark(person.pid, 3, "names nobody: a placeholder, or a number of no patient; no facts")
            continue
        for item in _statements(message, person, Scope(origin, key, person.visit_number), numbers):
            _add(item, found)
    found.links.extend(identity.identity_links(message, numbers, origin.remark))
    return found


def _add(item: Document | pb.ClinicalFact, normalised: Normalised) -> None:
    fact = item.fact if isinstance(item, Document) else item
    normalised.facts.append(with_id(fact))
    if isinstance(item, Document):
        normalised.documents.append(item)


def _statements(
    message: Message, person: Person, scope: Scope, numbers: Numbers
) -> Iterator[Document | pb.ClinicalFact]:
    yield from demographics(person.pid, scope)
    yield from encounters(message, person, scope, numbers)
    yield from appointments(message, scope)
    for segment in person.statements:
        if segment.name in _STATEMENTS:
            yield from _STATEMENTS[segment.name](segment, scope)
    yield from charges(person, scope)
    for note in person.notes:
        scope.origin.remark(note, 3, "a note about no result and no order is not read")
    described = [order for order in person.orders if order.first("TXA") is not None]
    others = [order for order in person.orders if order.first("TXA") is None]
    if is_refusal(message):
        others = list(_not_accepted(message, others, scope))
    for order in described:
        yield from transcription(order, scope)
    yield from orders.statements(others, type_answered(message), scope)
    for report in reports([person.observations, *others], scope):
        yield from attached_documents(report, scope)
        yield from results(report, scope)


def _not_accepted(message: Message, orders_: list[Order], scope: Scope) -> Iterator[Order]:
    """Of what a response repeats that refuses its message, the orders of which it says so itself."""
    for order in orders_:
        answer = message.first("MSA")
        if order.control == _UNABLE_TO_ACCEPT:
            yield order
        elif answer is not None:
            scope.origin.remark(answer, 1, "refuses what it repeats: nothing is ordered, dispensed or given by it")
