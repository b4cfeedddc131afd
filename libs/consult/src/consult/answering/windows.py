"""The time that a question is about: a year or month that it names, the stays in hospital in it, or a treatment."""

from collections.abc import Sequence
from datetime import date

from grounding import Sources, facts
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering.finding import Group
from consult.answering.inquiry import Form, Inquiry

Span = tuple[date, date]
_INPATIENT = "IMP"


def of(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> tuple[Span, ...]:
    """Spans in which values are to be told; none where the question names no time."""
    named_ = named(inquiry, sources)
    if inquiry.asks(Form.STAY):
        stays = (days_of(each) for each in sources.encounters() if each.code.code == _INPATIENT)
        return tuple(stay for stay in stays if not named_ or any(_meet(stay, span) for span in named_))
    if inquiry.asks(Form.DURING):
        done = [group for group in groups if group.worth > 0 and group.kind in _LASTING]
        done.sort(key=lambda group: group.kind != pb.FACT_KIND_PROCEDURE)
        return tuple(_of_group(group) for group in done[:1])
    if inquiry.asks(Form.SINCE) and not inquiry.asks(Form.WHEN) and not inquiry.days:
        begun = [group for group in groups if group.named and group.kind in _BEGINNING]
        return tuple((_of_group(group)[0], sources.today) for group in begun[:1])
    return named_


def named(inquiry: Inquiry, sources: Sources) -> tuple[Span, ...]:
    """The years, months and days that it names, and what is since one of them."""
    spans = tuple(span for span in inquiry.days if span[0] < span[1] or inquiry.asks(Form.SINCE))
    return tuple((first, sources.today) for first, _ in spans) if inquiry.asks(Form.SINCE) else spans


def is_within(fact: ClinicalFact, span: Span) -> bool:
    """Whether a part of it lies there."""
    return _meet(days_of(fact), span)


def within(group: Group, spans: Sequence[Span]) -> tuple[ClinicalFact, ...]:
    """Results of these spans, the next behind the last, and the newest; none where there is none."""
    if group.kind != pb.FACT_KIND_RESULT:
        return ()
    inside = [each for each in group.entries if any(_meet(days_of(each), span) for span in spans)]
    last = max((span[1] for span in spans), default=date.max)
    behind = [each for each in group.entries if days_of(each)[0] > last]
    behind = list({each.fact_id: each for each in (*behind[:1], *behind[-1:])}.values())
    return (*inside, *behind) if inside else ()


def touches(group: Group, spans: Sequence[Span]) -> bool:
    """Whether an entry lies in one of these spans."""
    return any(_meet(days_of(each), span) for each in group.entries for span in spans)


_LASTING = (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_MEDICATION)
_BEGINNING = (*_LASTING, pb.FACT_KIND_PROBLEM)


def _of_group(group: Group) -> Span:
    spans = [days_of(each) for each in group.entries]
    return min(first for first, _ in spans), max(last for _, last in spans)


def days_of(fact: ClinicalFact) -> Span:
    """From its first day to its last, the first where none is stated."""
    first = facts.starts_on(fact) or date.min
    return first, facts.ends_on(fact) or first


def _meet(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
