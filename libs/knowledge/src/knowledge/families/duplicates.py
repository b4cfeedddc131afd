"""Two drugs at once that do the same: of one class, or of classes of which one drug is enough."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge import wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient
from knowledge.row import Row
from knowledge.terms import Drugs


@dataclass(frozen=True, slots=True)
class Conditions:
    """Two different ingredients of `drugs`."""

    drugs: Drugs


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The two newest that are taken; or the newest that is taken beside the one asked about."""
    wanted: Conditions = row.conditions
    own = patient.drugs(wanted.drugs)
    if len(own) > 1 and own[0].ingredients.isdisjoint(own[1].ingredients):
        newest, other, *more = own
        first = wording.taken(patient.sources, newest.fact, wanted.drugs)
        both = wording.while_taking(patient.sources, first, other.fact, wanted.drugs)
        also = tuple(each.fact.fact_id for each in more)
        yield Finding(row, wording.statement(row, both, also=also), wording.ids((newest.fact, other.fact)))
    asked = patient.asks_about(wanted.drugs)
    if asked and own and asked.name.casefold() not in own[0].ingredients:
        told = wording.statement(row, wording.taken(patient.sources, own[0].fact, wanted.drugs))
        yield Finding(row, told, frozenset((asked.name, own[0].fact.fact_id)), asked=True)


FAMILY = Family("duplicates", "two drugs of which one is enough", Conditions, evaluate)
