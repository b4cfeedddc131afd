"""What began, was done or was given within a time that a question names and nothing else: illnesses first, then drugs,
procedures, vaccinations; without any of it the values of that time. And which values moved the most since a time.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from grounding import Sources, facts, keys
from longitude.record.v1 import fact_pb2 as pb
from terminology import observables
from terminology.areas import Area

from consult.answering import wording
from consult.answering.finding import Group, is_slight, of_area
from consult.answering.wording import Ways

Span = tuple[date, date]
# As a share of the value before.
_WORTH_TELLING = Decimal("0.03")
# What is measured at a procedure.
_REPORTED = keys.of_loinc(observables.by_id()["procedure-narrative"].loinc)
_ORDER = (
    pb.FACT_KIND_PROBLEM,
    pb.FACT_KIND_ALLERGY,
    pb.FACT_KIND_MEDICATION,
    pb.FACT_KIND_PROCEDURE,
    pb.FACT_KIND_IMMUNIZATION,
)


def within(spans: Sequence[Span], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """The kinds in their order; of a kind what happened the least often first."""
    happened = [group for group in groups if group.kind in _ORDER and _in(group, spans)]
    happened.sort(key=lambda group: (is_slight(group), _ORDER.index(group.kind), len(group.entries)))
    values = [group for group in groups if group.kind == pb.FACT_KIND_RESULT and _in(group, spans)]
    for group in happened or values:
        yield wording.say(_in(group, spans), sources)


def done(meant: Sequence[Area], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Procedures of these areas in the order of time, with what their reports measured."""
    procedures = [
        group
        for group in groups
        if group.kind == pb.FACT_KIND_PROCEDURE and any(of_area(each, group.keys, group.newest) for each in meant)
    ]
    for group in sorted(procedures, key=lambda group: facts.in_time(group.entries[0])):
        yield wording.say(group.entries, sources)
    days = {facts.starts_on(each) for group in procedures for each in group.entries} - {None}
    reports = [group for group in groups if _REPORTED in group.keys]
    for fact in [each for group in reports for each in group.entries if facts.starts_on(each) in days]:
        yield (wording.newest_values([fact]),)


def moved(spans: Sequence[Span], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Courses from the last value of the first time, what changed the most by its share first."""
    day = min(last for _, last in spans)
    values = ((_change(group, day), group) for group in groups if group.kind == pb.FACT_KIND_RESULT)
    for change, group in sorted(values, key=lambda each: each[0], reverse=True):
        if change > _WORTH_TELLING:
            yield wording.say(group.entries, sources, (day,))


def _change(group: Group, day: date) -> Decimal:
    before = [_number(each) for each in group.entries if (facts.starts_on(each) or date.max) <= day]
    behind = [_number(each) for each in group.entries if (facts.starts_on(each) or date.min) > day]
    first, last = (before or [None])[-1], (behind or [None])[-1]
    return abs(last - first) / abs(first) if first and last is not None else Decimal(0)


def _number(fact: pb.ClinicalFact) -> Decimal | None:
    return facts.number(fact.quantity) if fact.HasField("quantity") else None


def _in(group: Group, spans: Sequence[Span]) -> list[pb.ClinicalFact]:
    days = [(facts.starts_on(each), each) for each in group.entries]
    return [each for day, each in days if day and any(first <= day <= last for first, last in spans)]
