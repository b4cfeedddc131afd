"""Two drugs that do not go together: each taken, asked about or proposed."""

from collections.abc import Iterator
from dataclasses import dataclass

from grounding import facts
from terminology import drug_classes

from knowledge import wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Asked, Patient, Taken
from knowledge.row import Row
from knowledge.terms import Drugs

# Pairs of one row that are told; the newest orders first.
MOST = 3


@dataclass(frozen=True, slots=True)
class Conditions:
    """A drug of `drugs` together with another of `beside`."""

    drugs: Drugs
    beside: Drugs


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """Each pair that is taken; each drug that is taken beside one asked about; each pair that is proposed."""
    wanted: Conditions = row.conditions
    pairs: dict[frozenset[str], tuple[Taken, Drugs, Taken, Drugs]] = {}
    for one in patient.drugs(wanted.drugs):
        for other in patient.drugs(wanted.beside):
            if one.ingredients.isdisjoint(other.ingredients):
                pair = wording.ids((one.fact, other.fact))
                pairs.setdefault(pair, (one, wanted.drugs, other, wanted.beside))
    yield from (_together(row, *pair, patient) for pair in list(pairs.values())[:MOST])
    if not patient.asked:
        return
    for asked, beside in ((wanted.drugs, wanted.beside), (wanted.beside, wanted.drugs)):
        yield from _asked(row, asked, beside, patient)
    yield from _both_proposed(row, wanted, patient)


def _together(row: Row, one: Taken, of_one: Drugs, other: Taken, of_other: Drugs, patient: Patient) -> Finding:
    """`Naproxen (NSAID) was ordered on ..., while warfarin was ordered on ... . “...”`, the newer order first."""
    narrow = narrowness(of_one, one.names) + narrowness(of_other, other.names)
    if facts.in_time(other.fact) > facts.in_time(one.fact):
        one, of_one, other, of_other = other, of_other, one, of_one
    first = wording.taken(patient.sources, one.fact, of_one)
    both = wording.while_taking(patient.sources, first, other.fact, of_other)
    return Finding(row, wording.statement(row, both), wording.ids((one.fact, other.fact)), narrow)


def _asked(row: Row, wanted: Drugs, beside: Drugs, patient: Patient) -> Iterator[Finding]:
    for asked in patient.asks_about(wanted)[:MOST]:
        for other in patient.drugs(beside)[:MOST]:
            if asked.name.casefold() not in other.ingredients:
                told = wording.statement(row, wording.taken(patient.sources, other.fact, beside))
                narrow = narrowness(wanted, asked.names) + narrowness(beside, other.names)
                yield Finding(row, told, frozenset((asked.name, other.fact.fact_id)), narrow, asked=(asked.name,))


def _both_proposed(row: Row, wanted: Conditions, patient: Patient) -> Iterator[Finding]:
    """The record has neither, so that the words of the row say it alone."""
    pairs: dict[frozenset[str], tuple[Asked, Asked]] = {}
    for one in patient.proposes(wanted.drugs):
        for other in patient.proposes(wanted.beside):
            if one.name != other.name:
                pairs.setdefault(frozenset((one.name, other.name)), (one, other))
    for names, (one, other) in list(pairs.items())[:MOST]:
        narrow = narrowness(wanted.drugs, one.names) + narrowness(wanted.beside, other.names)
        yield Finding(row, wording.statement(row), names, narrow, asked=(one.name, other.name))


def narrowness(wanted: Drugs, own: frozenset[str]) -> int:
    """2 where a row names the ingredient itself, 1 where it names a class."""
    return 1 + any(drug_classes.by_id(each) is None for each in wanted.names & own)


FAMILY = Family("interactions", "two ingredients or classes that interact", Conditions, evaluate)
