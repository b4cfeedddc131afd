"""The last visit, and what is new: what began, was ordered, given, done or stopped since, and results that moved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from grounding import Sources, Statement, facts
from grounding.kinds import trend
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import EGFR

from consult.answering import changes, encounters, problem_list, reconciliation
from consult.answering.finding import Group
from consult.answering.reconciliation import Reconciled, Standing
from consult.answering.wording import Ways
from consult.rules.changes import WORTH_TELLING

_UNPLANNED = ("EMER", "IMP")
# Days for which a stay in hospital or an emergency is still news, and how many are told.
_RECENT, _MOST_STAYS = 365, 2
# What is told at most of what was done and given.
_MOST_DONE = 3
# Values of which it says nothing that they moved, where both are at least so high (KDIGO 2024: G1).
_FINE = {EGFR: 90}
_NEWS = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_MEDICATION, pb.FACT_KIND_RESULT, pb.FACT_KIND_PROCEDURE)


@dataclass(frozen=True, slots=True)
class Visits:
    """`last`: the newest visit. `since`: the day behind which things are new. `is_of_the_last`: nothing was recorded
    behind the last visit, so that what is new was found at it.
    """

    last: ClinicalFact
    since: date
    is_of_the_last: bool


def visits(sources: Sources) -> Visits | None:
    """None where the record has no visit, or nothing to compare with."""
    seen = [each for each in sources.encounters() if (facts.starts_on(each) or date.max) <= sources.today]
    if not seen:
        return None
    last = max(seen, key=facts.in_time)
    over = _over(last)
    if any(_is_news(each, over) for each in sources.of_kind(*_NEWS)):
        return Visits(last, over, is_of_the_last=False)
    before = [_over(each) for each in seen if _over(each) < (facts.starts_on(last) or over)]
    return Visits(last, max(before), is_of_the_last=True) if before else None


def told_of_visits(known: Visits, sources: Sources) -> Iterator[Ways]:
    """The last visit with its reason, then the newest stays in hospital and emergencies of a year."""
    yield encounters.visit(known.last)
    unplanned = [each for each in sources.encounters() if each.code.code in _UNPLANNED and each is not known.last]
    recent = [each for each in unplanned if 0 <= (sources.today - _over(each)).days <= _RECENT]
    for each in sorted(recent, key=facts.in_time, reverse=True)[:_MOST_STAYS]:
        yield encounters.visit(each)


def news(
    known: Visits,
    groups: Sequence[Group],
    listed: Sequence[ClinicalFact],
    drugs: Sequence[Reconciled],
    sources: Sources,
) -> Iterator[Ways]:
    """Problems and allergies first, then drugs, results that moved, what was done. `listed`: the active problems."""
    kept = [each for each in groups if each.kind != pb.FACT_KIND_PROBLEM or _is_new(each, known.since, listed, sources)]
    found = [ways for ways in changes.since(known.since, kept, sources) if ways]
    first = (wire.STATEMENT_KIND_PROBLEM, wire.STATEMENT_KIND_ALLERGY, wire.STATEMENT_KIND_MEDICATION)
    yield from (ways for ways in found if ways[0].kind in first)
    yield from (reconciliation.say(each, sources) for each in drugs if _was_stopped(each, known.since))
    yield from ((each,) for each in moved(known.since, sources))
    done = [ways for ways in found if ways[0].kind == wire.STATEMENT_KIND_EVENT]
    yield from done[:_MOST_DONE]


def moved(since: date, sources: Sources) -> Iterator[Statement]:
    """The last value known on a day against the newest behind it, where they differ by what is worth telling."""
    for loinc, least in WORTH_TELLING.items():
        series = trend.in_one_unit(sources.series(loinc))
        before = [each for each in series if (facts.starts_on(each) or date.max) <= since][-1:]
        after = [each for each in series if (facts.starts_on(each) or date.min) > since][-1:]
        if before and after:
            first, newest = facts.number(before[0].quantity), facts.number(after[0].quantity)
            far = first is not None and newest is not None and abs(newest - first) >= least
            fine = loinc in _FINE and min(first or 0, newest or 0) >= _FINE[loinc]
            if far and not fine and trend.direction([before[0], after[0]]) != trend.SAME:
                told = trend.told([before[0], after[0]], [], after[0], rounded=True)
                yield Statement(wire.STATEMENT_KIND_TREND, told)


def _is_news(fact: ClinicalFact, over: date) -> bool:
    is_behind = (facts.starts_on(fact) or date.min) > over
    return is_behind and (fact.kind != pb.FACT_KIND_PROBLEM or problem_list.belongs_on_a_list(fact))


def _is_new(group: Group, since: date, listed: Sequence[ClinicalFact], sources: Sources) -> bool:
    """Whether a problem was never there before; of those that go on, whether it is listed."""
    was_there = any((facts.starts_on(each) or date.min) <= since for each in group.entries)
    if was_there or not problem_list.belongs_on_a_list(group.newest):
        return False
    return not group.goes_on(sources.today) or any(each in group.entries for each in listed)


def _was_stopped(drug: Reconciled, since: date) -> bool:
    end = facts.ends_on(drug.newest)
    return drug.standing is Standing.ENDED and end is not None and end > since


def _over(visit: ClinicalFact) -> date:
    return facts.ends_on(visit) or facts.starts_on(visit) or date.min
