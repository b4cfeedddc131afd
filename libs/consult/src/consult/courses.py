"""What of an answer is a course, with its values, to be drawn: as many as a picture shows, the turning points kept."""

from collections.abc import Iterable, Sequence

from grounding import Sources, facts
from grounding.kinds import trend
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import units

from consult import concepts
from consult.drafting import Drafted

MOST_POINTS = 400


def courses(drafted: Iterable[Drafted], sources: Sources) -> list[wire.Course]:
    """Of each statement in front that tells one, in its order."""
    told: dict[str, ClinicalFact] = {}
    for each in drafted:
        statement = each.rendered.statement
        if each.front and statement.kind == wire.STATEMENT_KIND_TREND:
            for fact_id in statement.fact_ids:
                told.setdefault(concepts.key(sources.fact(fact_id)), sources.fact(fact_id))
    return [made for key, fact in told.items() if (made := _course(key, fact, sources))]


def _course(key: str, one: ClinicalFact, sources: Sources) -> wire.Course | None:
    """None where fewer than two numbers of one unit have a time."""
    alike = {each.fact_id: each for own in facts.keys(one) for each in sources.with_key(own)}
    same = [each for each in alike.values() if each.kind == pb.FACT_KIND_RESULT and concepts.key(each) == key]
    dated = [each for each in sorted(same, key=facts.in_time) if each.HasField("quantity") and facts.starts_on(each)]
    values = [each for each in trend.in_one_unit(dated) if facts.number(each.quantity) is not None] if dated else []
    if len(values) < 2:
        return None
    turning = {each.fact_id for each in turning_points(values)}
    kept = [each for each in _thinned(values) if each.fact_id not in turning]
    points = sorted([*kept, *(each for each in values if each.fact_id in turning)], key=facts.in_time)
    unit = units.printed(values[-1].quantity.unit)
    return wire.Course(name=facts.name_of(one), unit=unit, points=[_point(each, turning) for each in points])


def turning_points(values: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """First, last, highest and lowest."""
    numbers = {each.fact_id: facts.number(each.quantity) or 0 for each in values}
    highest = max(values, key=lambda each: numbers[each.fact_id])
    lowest = min(values, key=lambda each: numbers[each.fact_id])
    return [values[0], highest, lowest, values[-1]]


def _thinned(values: Sequence[ClinicalFact]) -> Sequence[ClinicalFact]:
    if len(values) <= MOST_POINTS:
        return values
    most = MOST_POINTS - len(turning_points(values))
    return [values[index * len(values) // most] for index in range(most)]


def _point(fact: ClinicalFact, turning: set[str]) -> wire.CoursePoint:
    value = str(facts.as_written(fact.quantity).value)
    return wire.CoursePoint(at=fact.valid_from, value=value, fact_id=fact.fact_id, turning=fact.fact_id in turning)
