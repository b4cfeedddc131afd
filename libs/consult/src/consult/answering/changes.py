"""What is new since a day: what began, was done, was given or stopped behind it, and values beyond all before."""

from collections.abc import Iterator, Sequence
from datetime import date

from grounding import Sources, facts
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering import wording
from consult.answering.finding import SOCIAL, Group
from consult.answering.wording import Ways

# What is worth telling first.
_PLACES: dict[int, int] = {
    pb.FACT_KIND_PROBLEM: 0,
    pb.FACT_KIND_ALLERGY: 0,
    pb.FACT_KIND_MEDICATION: 1,
    pb.FACT_KIND_PROCEDURE: 2,
    pb.FACT_KIND_RESULT: 3,
    pb.FACT_KIND_IMMUNIZATION: 4,
}
# Circumstances that surveys ask for, and reminders.
_NO_NEWS = frozenset({SOCIAL, "http://snomed.info/sct|314529007"})
# Values before the day, so that one beyond them all says something.
_SEVERAL = 3


def since(day: date, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What of each concept is new, what was never there before and the newest first."""
    ranked = [
        (rank, group, new) for group in groups if (new := _new(group, day)) and (rank := _rank(group, new)) is not None
    ]
    ranked.sort(key=lambda each: (each[0], -facts.in_time(each[2][-1])[0]))
    for _, group, new in ranked:
        yield wording.say(new if group.kind != pb.FACT_KIND_RESULT else new[-1:], sources)


def _new(group: Group, day: date) -> list[ClinicalFact]:
    return [each for each in group.entries if (facts.starts_on(each) or date.min) > day]


def _rank(group: Group, new: Sequence[ClinicalFact]) -> tuple[int, int] | None:
    """None where it is no news: what was there before as it is now."""
    if not group.keys.isdisjoint(_NO_NEWS):
        return None
    before = [each for each in group.entries if each not in new]
    if group.kind == pb.FACT_KIND_RESULT:
        return (_PLACES[group.kind], 0) if _is_beyond(new[-1], before) else None
    if before and group.kind != pb.FACT_KIND_PROBLEM:
        return None
    return (_PLACES.get(group.kind, 5), len(before))


def _is_beyond(newest: ClinicalFact, before: Sequence[ClinicalFact]) -> bool:
    """Whether a value is higher or lower than all before."""
    numbers = [value for each in before if (value := facts.number(each.quantity)) is not None]
    value = facts.number(newest.quantity)
    return value is not None and len(numbers) >= _SEVERAL and not min(numbers) <= value <= max(numbers)
