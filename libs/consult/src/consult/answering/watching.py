"""Which of the drugs that are taken are watched by laboratory values, and which of them meet each other.

Source: the rows of `looking`, each with its own; a drug without a row is not told.
"""

from collections.abc import Iterable, Iterator, Sequence

from grounding import Sources, facts, keys
from grounding.kinds import absence
from longitude.record.v1 import fact_pb2 as pb
from terminology import areas, observables
from terminology.areas import LookedAt

from consult.answering import looking, wording
from consult.answering.finding import Group
from consult.answering.inquiry import Inquiry
from consult.answering.wording import Ways

# Values that are told together.
MOST_RESULTS = 5
# Results that are said to be nowhere.
_MOST_MISSING = 3


def monitored(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Each drug in use whose rows look at blood, of those that are named if any is; then the newest of these values."""
    of_areas = [each for each in inquiry.areas if not inquiry.drugs]
    meant = [group for group in _in_use(groups, sources) if group.named or not inquiry.drugs]
    meant = [group for group in meant if any(_is_given(each, group) for each in of_areas)] or meant
    watched = [(group, codes) for group in meant if (codes := _blood(group))]
    for group, _ in watched:
        yield wording.say(group.entries, sources)
    wanted = list(dict.fromkeys(code for _, codes in watched for code in codes))
    yield from newest_values(wanted, groups)
    yield from nowhere(wanted, groups, sources)


def adjusted(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """The drugs in use whose rows look at the first results of the areas that are named."""
    meant = {code for area in inquiry.areas for code in area.results[:MOST_RESULTS]}
    for group in _in_use(groups, sources):
        if any(not meant.isdisjoint(row.results) for row in rows_of(group)):
            yield wording.say(group.entries, sources)


def newest_values(codes: Iterable[str], groups: Sequence[Group]) -> Iterator[Ways]:
    """The newest values of these codes, in their order and told together."""
    newest = [group.newest for code in codes for group in groups if _is_value(group, code)]
    if newest:
        yield (wording.newest_values(newest[:MOST_RESULTS]),)


def nowhere(codes: Iterable[str], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """That the record has none of these results of a laboratory, nor another that tells the same."""
    there = frozenset().union(*(group.keys for group in groups if group.kind == pb.FACT_KIND_RESULT))
    missing = [
        code
        for code in dict.fromkeys(codes)
        if _is_of_a_laboratory(code) and there.isdisjoint(map(keys.of_loinc, areas.same_answer(code)))
    ]
    for code in missing[:_MOST_MISSING]:
        yield (absence.statement(sources, _in_the_singular(code)),)


def _in_the_singular(code: str) -> str:
    """`platelet count` of platelets."""
    known = observables.by_loinc(code)
    assert known is not None
    called = (known.observable.short, *known.observable.names)
    return next((each for each in called if not each.endswith("s")), called[0])


def meeting(groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Drugs in use of which one stands beside another in a row."""
    drugs = _in_use(groups, sources)
    for group in drugs:
        if any(is_beside(group, other) or is_beside(other, group) for other in drugs):
            yield wording.say(group.entries, sources)


def is_beside(drug: Group, other: Group) -> bool:
    """Whether the other drug is looked at where the first is given."""
    named = areas.names_in_rows(facts.about(other.newest))
    return drug.keys.isdisjoint(other.keys) and any(not named.isdisjoint(row.beside) for row in rows_of(drug))


def rows_of(drug: Group) -> tuple[LookedAt, ...]:
    """What is looked at where an ordered drug is given."""
    return looking.rows_of(sorted(areas.names_in_rows(facts.about(drug.newest))))


def _is_given(area: areas.Area, drug: Group) -> bool:
    return areas.is_given_for(area, facts.about(drug.newest))


def _in_use(groups: Sequence[Group], sources: Sources) -> list[Group]:
    return [each for each in groups if each.kind == pb.FACT_KIND_MEDICATION and each.goes_on(sources.today)]


def _blood(drug: Group) -> list[str]:
    return [code for row in rows_of(drug) for code in row.results if _is_of_a_laboratory(code)]


def _is_of_a_laboratory(code: str) -> bool:
    known = observables.by_loinc(code)
    return known is not None and known.observable.kind == observables.LABORATORY


def _is_value(group: Group, code: str) -> bool:
    return (
        group.kind == pb.FACT_KIND_RESULT
        and keys.of_loinc(code) in group.keys
        and group.newest.HasField("quantity")
        and facts.starts_on(group.newest) is not None
    )
