"""Medication put in order: what is current, what was not renewed, what is on hold, doubtful or ended.

Guarantee: a drug stands in one place only, with the dose of its newest order; of a combination all parts are told
together. What nobody stated is not concluded: an order without an end is current while it is young, and doubtful when
it is old.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from grounding import Sources, Statement, facts, phrases
from grounding.statements import Day, Part, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult import concepts
from consult.answering import wording
from consult.answering.wording import Ways

# Days since the newest order: a repeat prescription is renewed within a year, a course is over within two months.
_YEAR, _LONG_AGO, _COURSE = 365, 3 * 365, 60
# Classes of drugs that are given in courses; what is given into a vein is so too.
_COURSES = ("antibacterial", "platinum-drug", "antimetabolite", "taxane", "vinca-alkaloid", "alkylating-drug")
_INTO_A_VEIN = ("intravenous", "iv")


class Standing(StrEnum):
    """How things stand with a drug, in the order of reading."""

    CURRENT = "current"
    NOT_RENEWED = "not renewed"
    ON_HOLD = "on hold"
    DOUBTFUL = "doubtful"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A drug with all its orders, oldest first. `newest`: the one that says how things stand."""

    standing: Standing
    entries: tuple[ClinicalFact, ...]
    newest: ClinicalFact

    @property
    def is_in_use(self) -> bool:
        """Whether it may still be taken."""
        return self.standing is not Standing.ENDED


def reconcile(sources: Sources) -> list[Reconciled]:
    """Every drug once, by its standing, the newest order first."""
    ordered: dict[str, list[ClinicalFact]] = defaultdict(list)
    for fact in sources.of_kind(pb.FACT_KIND_MEDICATION):
        if not facts.is_absent(fact):
            ordered[_drug(fact)].append(fact)
    drugs = [_reconciled(sorted(entries, key=facts.in_time), sources) for entries in ordered.values()]
    places = list(Standing)
    return sorted(drugs, key=lambda each: (places.index(each.standing), -facts.in_time(each.newest)[0]))


def say(drug: Reconciled, sources: Sources) -> Ways:
    """One line: its dose, and what is known of its orders."""
    match drug.standing:
        case Standing.CURRENT:
            return (_ordered(drug), _newest(drug, sources))
        case Standing.DOUBTFUL if later := _stopped_later(drug, sources):
            state = (Words(" (ordered on "), Day(drug.newest.fact_id), Words(", a later order stopped"))
            told = (*wording.drug(drug.entries, drug.newest), *state, *phrases.ended_on(later), Words(")"))
            return (_statement(*told), _newest(drug, sources))
        case Standing.ENDED if facts.ends_on(drug.newest) is None and facts.starts_on(drug.newest):
            given = (Words(": last ordered on "), Day(drug.newest.fact_id))
            return (_statement(*wording.drug(drug.entries, drug.newest), *given), _newest(drug, sources))
        case _:
            return (_newest(drug, sources),)


def is_course(drug: Reconciled) -> bool:
    """Whether it is given for days or weeks, so that an old order says nothing of today."""
    return _is_given_for_days(drug.newest)


def may_be_taken(drug: Reconciled, today: date) -> bool:
    """Whether it may be taken still; not a course of long ago, of which nobody stated the end."""
    since = facts.known_since(drug.newest)
    is_old = since is None or (today - since.date()).days > _YEAR
    return drug.is_in_use and not (is_old and is_course(drug))


def _is_given_for_days(order: ClinicalFact) -> bool:
    into_a_vein = any(each.route.casefold() in _INTO_A_VEIN for each in facts.dosages(order))
    return into_a_vein or facts.class_of(order, *_COURSES) is not None


def _drug(fact: ClinicalFact) -> str:
    return min(facts.about(fact).ordered_keys, default=concepts.key(fact))


def _reconciled(entries: Sequence[ClinicalFact], sources: Sources) -> Reconciled:
    going_on = [each for each in entries if not facts.has_ended(each, sources.today)]
    newest = (going_on or entries)[-1]
    return Reconciled(_standing(entries, going_on, sources), tuple(entries), newest)


def _standing(entries: Sequence[ClinicalFact], going_on: Sequence[ClinicalFact], sources: Sources) -> Standing:
    if not going_on:
        return Standing.ON_HOLD if facts.is_on_hold(entries[-1]) else Standing.ENDED
    newest = going_on[-1]
    if newest.fact_id in sources.disputed or facts.in_time(entries[-1])[0] > facts.in_time(newest)[0]:
        return Standing.DOUBTFUL
    if not facts.is_open_order(newest):
        return Standing.CURRENT
    return _by_age(newest, sources.today)


def _by_age(newest: ClinicalFact, today: date) -> Standing:
    """An order of which nobody stated an end."""
    since = facts.known_since(newest)
    days = (today - since.date()).days if since else _LONG_AGO
    if days <= (_COURSE if _is_given_for_days(newest) else _YEAR):
        return Standing.CURRENT
    is_old = days > _LONG_AGO or _is_given_for_days(newest)
    return Standing.DOUBTFUL if is_old else Standing.NOT_RENEWED


def _stopped_later(drug: Reconciled, sources: Sources) -> ClinicalFact | None:
    last = drug.entries[-1]
    return last if facts.has_ended(last, sources.today) and facts.ends_on(last) else None


def _newest(drug: Reconciled, sources: Sources) -> Statement:
    return wording.newest_order(drug.entries, sources)


def _ordered(drug: Reconciled) -> Statement:
    """`Metformin 500 mg oral: ordered on 2026-10-01`; that nobody renewed it since says nothing yet."""
    until = facts.ends_on(drug.newest)
    end: tuple[Part, ...] = (Words(" until "), Day(drug.newest.fact_id, end=True)) if until else ()
    state = (Words(": ordered"), *phrases.ordered(drug.newest), *end)
    return _statement(*wording.drug(drug.entries, drug.newest), *state)


def _statement(*parts: Part) -> Statement:
    return Statement(wire.STATEMENT_KIND_MEDICATION, parts)
