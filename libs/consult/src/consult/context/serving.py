"""The facts of a record that serve a question, the most telling first: what finding brings, and no other view of it.

First what the answer rests on, in its order. Then what belongs beside a question of its form: what is taken and what
interacts where a drug is considered, every vaccination, whatever is new since a day. Then, in turns, what else there is
of each thing that answers or concerns the question: the newest entry, the oldest, the highest and the lowest value
since the day that is asked about, and the others from new to old.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from grounding import Sources, facts
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas

from consult.answering import Form, Inquiry, answer, inquire
from consult.answering.finding import Group
from consult.answering.suitability import classes_of, looked_at
from consult.rules.critical import critical_values

# Entries of one thing that are taken before the next thing has its turn.
TURN = 4


def serving(question: str, sources: Sources) -> list[ClinicalFact]:
    """Every fact that concerns the question, each once."""
    inquiry = inquire(question, sources)
    answered = answer(inquiry, sources)
    told = [fact_id for ways in answered.told for fact_id in ways[0].fact_ids]
    groups = answered.groups
    since = _since(inquiry, groups)
    courses = [_by_worth(group, since) for group in _concerning(groups, told)]
    beside = _beside(inquiry, groups, sources, since)
    chosen = (*map(sources.fact, told), *beside, *_in_turns(courses))
    return list({each.fact_id: each for each in chosen}.values())


def dangers(sources: Sources) -> list[ClinicalFact]:
    """What must not be missed whatever is asked: critical values, and every allergy."""
    critical = [sources.fact(fact_id) for each in critical_values(sources) for fact_id in each.fact_ids]
    allergies = [each for each in sources.of_kind(pb.FACT_KIND_ALLERGY) if not facts.has_ended(each, sources.today)]
    return list({each.fact_id: each for each in (*critical, *allergies)}.values())


def _concerning(groups: Sequence[Group], answering: Sequence[str]) -> list[Group]:
    """Those that the answer rests on, in its order, then the others that concern the question."""
    places = {fact_id: place for place, fact_id in reversed(list(enumerate(answering)))}
    never = len(answering)
    placed = [(min(places.get(each.fact_id, never) for each in group.entries), group) for group in groups]
    return [group for place, group in sorted(placed, key=lambda each: each[0]) if place < never or group.worth > 0]


def _beside(inquiry: Inquiry, groups: Sequence[Group], sources: Sources, since: date | None) -> Iterator[ClinicalFact]:
    if inquiry.asks(Form.IMMUNISATION):
        yield from (group.newest for group in groups if group.kind == pb.FACT_KIND_IMMUNIZATION)
    if inquiry.asks(Form.SUITABILITY):
        orders = [group for group in groups if group.kind == pb.FACT_KIND_MEDICATION]
        yield from (group.newest for group in orders if _interacts(group.newest, inquiry))
        yield from (group.newest for group in orders if group.goes_on(sources.today))
    if inquiry.asks(Form.CHANGE) and since:
        new = (group.newest for group in groups if (facts.starts_on(group.newest) or since) > since)
        yield from sorted(new, key=facts.in_time, reverse=True)


def _interacts(order: ClinicalFact, inquiry: Inquiry) -> bool:
    """Whether it is of a class of a drug that is considered, or of what must not be given beside it without thought."""
    own = areas.names_in_rows(facts.about(order))
    against = (each for drug in inquiry.drugs for row in looked_at(drug) for each in row.beside)
    return not own.isdisjoint(against) or any(not own.isdisjoint(classes_of(drug)) for drug in inquiry.drugs)


def _since(inquiry: Inquiry, groups: Sequence[Group]) -> date | None:
    """The day behind which values are asked for: one that is named, or that of the first order of a drug."""
    if inquiry.asks(Form.SINCE, Form.CHANGE) and inquiry.days:
        return inquiry.days[0][0]
    if not inquiry.asks(Form.EFFECT):
        return None
    orders = (group.entries[0] for group in groups if group.named and group.kind == pb.FACT_KIND_MEDICATION)
    return min((day for each in orders if (day := facts.starts_on(each))), default=None)


def _by_worth(group: Group, since: date | None) -> list[ClinicalFact]:
    """The entries of a thing, the most telling first."""
    behind = [each for each in group.entries if since is None or (facts.starts_on(each) or since) >= since]
    chosen = (group.newest, group.entries[0], *_extremes(behind), *reversed(behind), *reversed(group.entries))
    return list({each.fact_id: each for each in chosen}.values())


def _extremes(entries: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """The highest and the lowest value, where there are numbers."""
    numbers = [(value, each) for each in entries if (value := facts.number(each.quantity)) is not None]
    return [choose(numbers, key=lambda each: each[0])[1] for choose in (max, min)] if numbers else []


def _in_turns(courses: Sequence[Sequence[ClinicalFact]]) -> Iterator[ClinicalFact]:
    for begin in range(0, max(map(len, courses), default=0), TURN):
        for course in courses:
            yield from course[begin : begin + TURN]
