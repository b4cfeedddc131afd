"""What stands in front of an answer: the statements that answer, the most concerning first, at most MOST of them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from grounding import Sources, Statement, facts
from grounding.kinds import absence, evidence
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering import wording
from consult.answering.finding import Group, find
from consult.answering.inquiry import Form, Inquiry

MOST = 6
# How far behind the best group one may lie and still stand in front.
_BEHIND = 6.5


def answer(inquiry: Inquiry, sources: Sources) -> list[Statement]:
    """The statements in front, in reading order; none where nothing was understood."""
    groups = find(inquiry, sources)
    spoken = [*_allergies(inquiry, sources), *_absent(inquiry, groups, sources), *_of_groups(inquiry, groups, sources)]
    return list(dict.fromkeys(spoken))[:MOST]


def _allergies(inquiry: Inquiry, sources: Sources) -> Iterator[Statement]:
    """Every allergy in one line, where allergies or whether something may be given are asked for."""
    if inquiry.asks(Form.ALLERGY, Form.SUITABILITY):
        entries = [each for each in sources.active(pb.FACT_KIND_ALLERGY) if not facts.is_absent(each)]
        distinct = list({facts.name_of(each): each for each in entries}.values())
        if len(distinct) == 1:
            yield from filter(None, [wording.say(distinct, sources)])
        elif distinct:
            yield wording.allergies(distinct)


def _absent(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Statement]:
    """What the question names and the record has not."""
    for mention in inquiry.mentions:
        there = any(not mention.keys.isdisjoint(_keys(group)) for group in groups if group.named)
        if not there:
            yield absence.statement(sources, mention.text)


def _keys(group: Group) -> frozenset[str]:
    from grounding.reading import names

    return names.keys_of(group.newest)


def _of_groups(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Statement]:
    best = groups[0].worth if groups else 0.0
    keep = _days_of_drugs(groups) if inquiry.asks(Form.EFFECT) else []
    for group in groups:
        if group.worth > best - _BEHIND and group.kind != pb.FACT_KIND_ALLERGY:
            statement = wording.say(group.entries, sources, keep)
            if statement is not None:
                yield statement


def _days_of_drugs(groups: Sequence[Group]) -> list[date]:
    drugs = (group.entries[0] for group in groups if group.kind == pb.FACT_KIND_MEDICATION and group.named)
    return [day for each in drugs if (day := facts.starts_on(each))]
