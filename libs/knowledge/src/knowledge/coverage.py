"""Which drugs and problems have rows, and which have none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from grounding import facts
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from terminology import families as problem_families

from knowledge.library import Knowledge
from knowledge.record import names_of
from knowledge.row import Row
from knowledge.terms import Drugs, Problems


@dataclass(frozen=True, slots=True)
class Covered:
    """A drug or a problem with the rows about it, by name."""

    kind: "pb.FactKind.ValueType"
    name: str
    rows: tuple[str, ...]


def covered(knowledge: Knowledge, kind: "pb.FactKind.ValueType", concept: CodedConcept) -> Covered:
    """A concept of a medication or a problem."""
    fact = ClinicalFact(kind=kind, code=concept)
    matches = _drug if kind == pb.FACT_KIND_MEDICATION else _problem
    own = names_of(*facts.about(fact).ingredients) if kind == pb.FACT_KIND_MEDICATION else _families(fact)
    return Covered(kind, facts.name_of(fact), tuple(row.name for row in knowledge if own and matches(row, own)))


def once(listed: Sequence[Covered]) -> list[Covered]:
    """Each name once, those without a row first."""
    by_name = {(each.kind, each.name.casefold()): each for each in listed if each.name}
    return sorted(by_name.values(), key=lambda each: (bool(each.rows), each.kind, each.name))


def _families(fact: ClinicalFact) -> frozenset[str]:
    return frozenset(each.id for each in problem_families.with_wider(names.families_among(names.keys_of(fact))))


def _conditions(row: Row) -> Iterator[object]:
    return (getattr(row.conditions, each.name) for each in fields(row.conditions))


def _drug(row: Row, own: frozenset[str]) -> bool:
    return any(isinstance(each, Drugs) and each.matches(own) for each in _conditions(row))


def _problem(row: Row, own: frozenset[str]) -> bool:
    return any(isinstance(each, Problems) and not each.ids.isdisjoint(own) for each in _conditions(row))
