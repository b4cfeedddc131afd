"""What began, was done or was given within a time that a question names and nothing else: illnesses first, then drugs,
procedures, vaccinations; without any of it the values of that time.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from grounding import Sources, facts
from longitude.record.v1 import fact_pb2 as pb

from consult.answering import wording
from consult.answering.finding import Group
from consult.answering.wording import Ways

Span = tuple[date, date]
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
    happened.sort(key=lambda group: (_ORDER.index(group.kind), len(group.entries)))
    values = [group for group in groups if group.kind == pb.FACT_KIND_RESULT and _in(group, spans)]
    for group in happened or values:
        yield wording.say(_in(group, spans), sources)


def _in(group: Group, spans: Sequence[Span]) -> list[pb.ClinicalFact]:
    days = [(facts.starts_on(each), each) for each in group.entries]
    return [each for day, each in days if day and any(first <= day <= last for first, last in spans)]
