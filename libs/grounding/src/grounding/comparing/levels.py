"""High, low, normal: by the flag that was sent and the reference range, and by nothing else."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact, Quantity

from grounding import facts
from grounding.comparing import meaning, readings, series
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.reading.nodes import Node

# The scale that a result names: Fall risk total [Morse Fall Scale].
_SCALE = re.compile(r"\[[^\]]+\]")
# As shares of the limit that is passed.
_SLIGHT, _MARKED = Decimal("0.25"), Decimal("0.15")
_HIGH, _LOW = ("H", "HH", ">", "HU"), ("L", "LL", "<", "LU")


def level_of(point: Point) -> str:
    """`high`, `low` or `normal`; empty where neither a flag nor a range is there, or where the two disagree."""
    if point.derived:
        return ""
    fact = point.facts[0]
    flag = fact.abnormal_flag.upper()
    if flag in _HIGH:
        return "high"
    if flag in _LOW:
        return "low"
    ranged = _by_range(fact)
    return "normal" if flag == "N" and ranged in ("", "normal") else ranged


def _by_range(fact: ClinicalFact) -> str:
    """By the reference range, which is in the unit that was sent."""
    number, low, high = _with_range(fact)
    if number is None or (low is None and high is None):
        return ""
    if low is not None and number < low:
        return "low"
    return "high" if high is not None and number > high else "normal"


def _with_range(fact: ClinicalFact) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """The number that was sent and the limits, in one unit."""
    sent = fact.source_quantity if fact.HasField("source_quantity") else fact.quantity
    low, high = (facts.number(Quantity(value=each)) for each in (fact.reference_range.low, fact.reference_range.high))
    return facts.number(sent), low, high


def level(wanted: str, point: Point) -> Outcome:
    actual = level_of(point)
    if not actual:
        return unsupported("level", "the record has no flag and no reference range for it")
    if actual == wanted or (wanted == "abnormal" and actual != "normal"):
        return supported("level", point.facts)
    return contradicted("level", f"the record says {actual} of {series.told(point)} on {point.day}", point.facts)


def risk(wanted: str, points: Sequence[Point], record: Record) -> Outcome:
    """`(high risk)` behind a score: the level that was stated with it, by the scale that both name."""
    stated = [
        fact
        for point in points
        for own in point.facts
        for fact in record.of_kind(pb.FACT_KIND_RESULT)
        if fact.valid_from == own.valid_from
        and _SCALE.findall(fact.code.display) == _SCALE.findall(own.code.display) != []
    ]
    levels = [fact for fact in stated if "risk" in fact.coded.display.lower()]
    if not levels:
        return unsupported("level", "the record states no level of risk with it")
    if all(fact.coded.display.lower().startswith(f"{wanted} risk") for fact in levels):
        return supported("level", levels)
    return contradicted("level", f"the record says {levels[-1].coded.display}", levels[-1:])


def worst_level(wanted: str, points: Iterable[Point]) -> Outcome:
    """Of several points that may be meant, the one that does not hold."""
    levels = [level(wanted, each) for each in points]
    return next((each for each in levels if not each.holds), levels[-1])


def judged(node: Node, record: Record) -> list[Outcome]:
    """High, low, normal: of the newest value, or of the day that is named."""
    whens = [part for part in node.parts if readings.is_when(part)]
    values = node.all("value")
    found: list[Outcome] = []
    for obs in node.all("obs"):
        points = series.points_of(obs, record)
        if not points:
            found.append(unsupported("level", series.NO_RESULT))
            continue
        chosen = _chosen(points, obs, whens, record)
        if not chosen:
            found.append(unsupported("date", series.NO_TIME))
            continue
        found += _judged(node, values, chosen)
    return found


def _chosen(points: Sequence[Point], obs: Node, whens: Sequence[Node], record: Record) -> list[Point]:
    order, spans = series.order_of(obs), series.spans_of(whens, record)
    inside = series.within(points, spans, record) if spans else list(points)
    if order or not spans:
        return series.extremes(inside, order or "last")
    return inside


def _judged(node: Node, values: Sequence[Node], chosen: Sequence[Point]) -> list[Outcome]:
    found: list[Outcome] = []
    if values:
        agreeing = series.saying(values[0], chosen)
        if not agreeing:
            return [series.disagreement(meaning.amount(values[0]), chosen)]
        found.append(supported("value", agreeing[-1].facts))
        chosen = agreeing
    return [*found, worst_level(node.says("level"), chosen), *extents(node, chosen)]


def extents(node: Node, points: Sequence[Point]) -> list[Outcome]:
    """Slightly or markedly high or low: by the share of the limit that a value lies beyond it."""
    wanted = [manner.says("manner") for manner in node.all("manner")]
    return [_extent(each, point) for each in wanted for point in points]


def _extent(manner: str, point: Point) -> Outcome:
    beyond = None if point.derived else _beyond(point.facts[0])
    if beyond is None or manner not in ("slightly", "markedly"):
        return unsupported("level", "how far beyond the reference range it lies is not known")
    if beyond <= _SLIGHT if manner == "slightly" else beyond >= _MARKED:
        return supported("level", point.facts)
    return contradicted("level", f"{series.told(point)} lies {beyond:.0%} beyond the reference range", point.facts)


def _beyond(fact: ClinicalFact) -> Decimal | None:
    """The share of the limit by which a value lies outside the range."""
    number, low, high = _with_range(fact)
    passed = [limit for limit, sign in ((low, -1), (high, 1)) if limit and number and (number - limit) * sign > 0]
    return abs(number - passed[0]) / passed[0] if passed and number is not None else None
