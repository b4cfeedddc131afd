"""What stands on the day of what a question names: what a drug was ordered for, what was ordered for an illness that is
over, and which drug of its class came after one that was stopped.

Guarantee: only entries are told, each by itself: the day of the record brings them together, or that such drugs are
given for such problems (`terminology.areas`); that the one was given for the other is not said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from grounding import Sources, facts
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from terminology import areas

from consult.answering import wording
from consult.answering.finding import Group, of_area
from consult.answering.inquiry import Form, Inquiry, Mention
from consult.answering.problem_list import belongs_on_a_list
from consult.answering.wording import SOCIAL, Ways

# Things that are named of which it is told, and how far behind the most concerning an illness may lie.
_MOST = 2
_BEHIND = 1.0


def of_drugs(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Of drugs that are named what came after them, and what they were ordered for: where that is asked, else of what
    was given for an illness that is over.
    """
    drugs = [group for group in groups if group.kind == pb.FACT_KIND_MEDICATION and group.named]
    if not inquiry.asks(Form.REASON):
        drugs = [group for group in drugs if any(_is_of(group, each) for each in inquiry.drugs)]
    for drug in drugs[:_MOST]:
        yield from _after(drug, groups, sources)
        if inquiry.asks(Form.REASON) or not drug.goes_on(sources.today):
            illnesses = _ordered_for(drug, groups)
            yield from (wording.say(each.entries, sources) for each in illnesses)
            for illness in illnesses if inquiry.asks(Form.BEFORE) else ():
                yield from _ordered_with(illness, groups, sources)


def of_illnesses(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What was ordered for the illnesses that concern the question the most and are over, or what was ever tried."""
    least = groups[0].worth - _BEHIND if groups else 0.0
    ever = inquiry.asks(Form.TREATMENT, Form.BEFORE, Form.ABSENCE)
    illnesses = [group for group in groups if group.worth > 0 and _is_illness(group)]
    illnesses = [group for group in illnesses if ever or not group.goes_on(sources.today)]
    for illness in [each for each in illnesses if each.named or each.worth >= least][:_MOST]:
        yield from _ordered_with(illness, groups, sources)


def _is_of(group: Group, mention: Mention) -> bool:
    return names.DRUG in mention.kinds and not group.keys.isdisjoint(mention.keys)


def _is_illness(group: Group) -> bool:
    return group.kind == pb.FACT_KIND_PROBLEM and SOCIAL not in group.keys


def _ordered_for(drug: Group, groups: Sequence[Group]) -> list[Group]:
    """Problems that began on the day of its first order; else those of the areas for which such a drug is given, the
    nearest before it first; else those of the day of any order.
    """
    first = replace(drug, entries=drug.entries[:1])
    problems = [each for each in groups if each.kind == pb.FACT_KIND_PROBLEM and belongs_on_a_list(each.newest)]
    begun = [each for each in problems if facts.starts_on(each.entries[0]) == facts.starts_on(drug.entries[0])]
    meant = [area for area in areas.known().values() if areas.is_given_for(area, facts.about(drug.newest))]
    fitting = [each for each in problems if any(of_area(area, each.keys, each.newest) for area in meant)]
    before = [each for each in fitting if facts.in_time(each.entries[0]) <= facts.in_time(drug.newest)]
    before.sort(key=lambda each: -facts.in_time(each.entries[0])[0])
    return begun or before[:_MOST] or [each for each in problems if _share_a_day(first, each)]


def _ordered_with(illness: Group, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Drugs that were ordered on its first day and are over as well."""
    for group in groups:
        ended = group.kind == pb.FACT_KIND_MEDICATION and not group.goes_on(sources.today)
        if ended and _share_a_day(illness, group):
            yield wording.say(group.entries, sources)


def _after(drug: Group, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Drugs of its narrowest classes that were first ordered on the day on which it was stopped."""
    if drug.goes_on(sources.today):
        return
    ends = {facts.ends_on(each) for each in drug.entries} - {None}
    for group in groups:
        if group.kind == pb.FACT_KIND_MEDICATION and facts.starts_on(group.entries[0]) in ends and _alike(drug, group):
            yield wording.say(group.entries, sources)


def _alike(one: Group, other: Group) -> bool:
    """Another drug of a class of the first."""
    classes = [{each.id for each in facts.about(group.newest).classes} for group in (one, other)]
    return not classes[0].isdisjoint(classes[1]) and names.keys_of(one.newest) != names.keys_of(other.newest)


def _share_a_day(one: Group, other: Group) -> bool:
    days = [{facts.starts_on(each) for each in group.entries} - {None} for group in (one, other)]
    return not days[0].isdisjoint(days[1])
