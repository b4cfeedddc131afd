"""Which screening was done and when, and which was not: of what the question names, else of what fits age and sex.

Source: the rows of `terminology.screenings`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from grounding import Sources, facts, keys
from grounding.kinds import absence
from longitude.record.v1 import fact_pb2 as pb
from terminology import screenings
from terminology.screenings import Screening

from consult.answering import reasons, wording
from consult.answering.finding import Group
from consult.answering.inquiry import Inquiry
from consult.answering.wording import Ways


def around(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What was done first, then what is missing."""
    asked = _once(inquiry.screenings or [each for each in _of_anybody(inquiry) if fits(each, groups, sources)])
    done = {each.id: [group for group in groups if _is_of(group, each)] for each in asked}
    for each in asked:
        for group in done[each.id]:
            yield wording.say(group.entries, sources)
    yield from missing(asked, groups, sources)
    yield from _how_often(asked, sources)
    if not (inquiry.screenings or inquiry.about_something):
        yield from _long_ago(groups, sources)


def missing(asked: Iterable[Screening], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """That it was never done."""
    for each in _once(asked):
        if not any(_is_of(group, each) for group in groups):
            yield (absence.statement(sources, each.told),)


# That a passage says how often.
_AGAIN = re.compile(r"\bevery \w+ year|once a year|yearly|annual", re.IGNORECASE)


def _how_often(asked: Sequence[Screening], sources: Sources) -> Iterator[Ways]:
    """Of the one that is asked about, what the passage says that memory found, where it fits age and sex."""
    for each in asked if len(asked) == 1 else ():
        rows = [row for row in screenings.known() if row.id == each.id]
        fitting = [row for row in rows if row.is_for(sources.administrative_sex() or "", sources.age())]
        for row in fitting[:1]:
            if sources.has_passage(row.passage) and _AGAIN.search(sources.passage(row.passage).text):
                yield reasons.said(row.passage, row.terms, sources)


# Checks that come again, and after how many days without them it is told.
_CHECKS = re.compile(r"reconciliation|dental care|screening|bone density|spirometry", re.IGNORECASE)
_YEAR = 365


def _long_ago(groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Checks that the record repeats and of the last year has none; the longest ago first."""
    checks = [group for group in groups if group.kind == pb.FACT_KIND_PROCEDURE and len(group.entries) > 1]
    for group in sorted(checks, key=lambda group: facts.in_time(group.newest)[0]):
        last = facts.starts_on(group.newest)
        if last and (sources.today - last).days > _YEAR and _CHECKS.search(facts.name_of(group.newest)):
            yield wording.say(group.entries, sources)


def _of_anybody(inquiry: Inquiry) -> Iterable[Screening]:
    """All, and where the question is about something, those of who has it: who asks for depression means no bowel."""
    about = {problem for area in inquiry.areas for problem in area.problems}
    anything = not inquiry.about_something
    return (each for each in screenings.known() if anything or not about.isdisjoint(each.problems))


def _once(asked: Iterable[Screening]) -> list[Screening]:
    """Each whatever the age."""
    return list({each.id: each for each in asked}.values())


def fits(screening: Screening, groups: Sequence[Group], sources: Sources) -> bool:
    """Whether it is for somebody of this age and sex with such problems."""
    if screening.problems and not any(group.is_of(screening.problems) for group in groups):
        return False
    return screening.is_for(sources.administrative_sex() or "", sources.age())


def _is_of(group: Group, screening: Screening) -> bool:
    match group.kind:
        case pb.FACT_KIND_PROCEDURE:
            name = facts.name_of(group.newest).casefold()
            return any(each in name for each, _ in screening.done)
        case pb.FACT_KIND_RESULT:
            return any(keys.of_loinc(each) in group.keys for each, _ in screening.done)
        case _:
            return False
