"""Which things of a record are asked for, and which entries of each.

A thing is a kind and a concept. The newest entry of each course (`domain.courses`) stands for it while things are
chosen, so that a record of any length is looked through at once. Words are read as the words of a question are
(`consult.answering`): what answers is what is found.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from consult import concepts, times
from consult.answering import inquire
from consult.answering.finding import Group, find
from consult.context.relevance import terms
from grounding import Sources, facts, keys
from grounding.reading import names
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from terminology import drugs, problems

from memory.domain.courses import concept_of

About = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Things by words or by concepts, else all; of each the entries of a form, a time and states. Empty: any."""

    words: str = ""
    concepts: Sequence[CodedConcept] = ()
    kinds: Collection[int] = ()
    form: int = pb.FIND_FORM_UNSPECIFIED
    since: datetime | None = None
    until: datetime | None = None
    statuses: Collection[int] = ()


def about(fact: ClinicalFact) -> About:
    """The course of a fact."""
    return fact.kind, concept_of(fact)


def things(wanted: Wanted, heads: Sequence[ClinicalFact], sources: Sources) -> list[list[About]]:
    """The courses of each thing that is asked for, the most concerning thing first. `heads`: the newest of each course,
    which `sources` are made of.
    """
    ordered: dict[About, dict[About, None]] = {}
    for fact in _concerning(wanted, heads, sources):
        if not wanted.kinds or fact.kind in wanted.kinds:
            ordered.setdefault((fact.kind, concepts.key(fact)), {})[about(fact)] = None
    return [list(each) for each in ordered.values()]


def entries(wanted: Wanted, things: Sequence[Sequence[About]], read: Iterable[RecordedFact]) -> list[RecordedFact]:
    """What is asked for of the things, of each the newest first."""
    place = {course: number for number, thing in enumerate(things) for course in thing}
    of: dict[int, list[RecordedFact]] = {number: [] for number in range(len(things))}
    for each in sorted(read, key=lambda each: facts.in_time(each.fact), reverse=True):
        if about(each.fact) in place and _is_wanted(each.fact, wanted):
            of[place[about(each.fact)]].append(each)
    return [each for thing in of.values() for each in _formed(thing, wanted.form)]


def _concerning(wanted: Wanted, heads: Sequence[ClinicalFact], sources: Sources) -> Iterator[ClinicalFact]:
    newest = sorted(heads, key=facts.in_time, reverse=True)
    if wanted.concepts:
        asked = frozenset(key for each in wanted.concepts for key in _keys(each))
        yield from (fact for fact in newest if not asked.isdisjoint(names.keys_of(fact)))
    if wanted.words:
        yield from (fact for group in _groups(wanted.words, sources) for fact in reversed(group.entries))
        # What finding never brings: visits, documents, what a person is.
        yield from (fact for fact in newest if terms(wanted.words) & terms(facts.name_of(fact)))
    if not (wanted.concepts or wanted.words):
        yield from newest


def _groups(words: str, sources: Sources) -> list[Group]:
    """What is named; where nothing is, or a panel that stands for an organ, all that concerns it."""
    inquiry = inquire(words, sources)
    groups = [group for group in find(inquiry, sources) if group.worth > 0]
    wide = any(names.PANEL in each.kinds for each in inquiry.mentions)
    return groups if wide else [group for group in groups if group.named] or groups


def _keys(concept: CodedConcept) -> Iterator[str]:
    yield keys.of_concept(concept)
    if made_of := drugs.ingredients_of_code(concept.system, concept.code):
        yield keys.of_drug(made_of)
    yield from names.of_families(each.id for each in problems.families_of(concept))


def _is_wanted(fact: ClinicalFact, wanted: Wanted) -> bool:
    known = facts.known_since(fact) or times.EARLIEST
    return (
        (wanted.since is None or known >= wanted.since)
        and (wanted.until is None or known <= wanted.until)
        and (not wanted.statuses or fact.status in wanted.statuses)
    )


def _formed(thing: Sequence[RecordedFact], form: int) -> Sequence[RecordedFact]:
    match form:
        case pb.FIND_FORM_LATEST:
            return thing[:1]
        case pb.FIND_FORM_EARLIEST:
            return thing[-1:]
        case pb.FIND_FORM_HIGHEST:
            return _extreme(thing, 1)
        case pb.FIND_FORM_LOWEST:
            return _extreme(thing, -1)
        case _:
            return thing


def _extreme(thing: Sequence[RecordedFact], sign: int) -> Sequence[RecordedFact]:
    """The newest of the highest (1) or lowest (-1), in the unit of the newest that has a number."""
    unit = next((each.fact.quantity.unit for each in thing if facts.number(each.fact.quantity) is not None), "")
    numbers = [
        (value, each) for each in thing if (value := facts.convert(each.fact, each.fact.quantity, unit)) is not None
    ]
    return [max(numbers, key=lambda each: sign * each[0])[1]] if numbers else []
