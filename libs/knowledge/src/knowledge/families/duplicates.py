"""Two drugs at once that do the same: of one class, or of classes of which one drug is enough."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge import wording
from knowledge.families.interactions import MOST
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
    """The two newest that are taken; the newest that is taken beside each asked about; the first two proposed."""
    wanted: Conditions = row.conditions
    own = patient.drugs(wanted.drugs)
    if len(own) > 1 and own[0].ingredients.isdisjoint(own[1].ingredients):
        newest, other, *more = own
        first = wording.taken(patient.sources, newest.fact, wanted.drugs)
        both = wording.while_taking(patient.sources, first, other.fact, wanted.drugs)
        also = tuple(each.fact.fact_id for each in more)
        yield Finding(row, wording.statement(row, both, also=also), wording.ids((newest.fact, other.fact)))
    for each in patient.asks_about(wanted.drugs)[:MOST]:
        if own and each.name.casefold() not in own[0].ingredients:
            told = wording.statement(row, wording.taken(patient.sources, own[0].fact, wanted.drugs))
            yield Finding(row, told, frozenset((each.name, own[0].fact.fact_id)), asked=(each.name,))
    names = tuple(each.name for each in patient.proposes(wanted.drugs)[:2])
    if len(names) > 1:
        yield Finding(row, wording.statement(row), frozenset(names), asked=names)


FAMILY = Family("duplicates", "two drugs of which one is enough", Conditions, evaluate)
