"""Courses: rose, fell, stayed, by how much, from what to what, over the span that is named."""

from collections.abc import Sequence
from decimal import Decimal

from grounding.comparing import meaning, results
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.comparing.results import NO_RESULT, in_unit, points_of, told, within
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

# Within this share of the first value a course is called steady.
STEADY = Decimal("0.05")
_ARROWS = {"↑": "rise", "↓": "fall"}


def course(node: Node, record: Record) -> list[Outcome]:
    """A direction, from and to."""
    outcomes: list[Outcome] = []
    for place, obs in enumerate(node.all("obs")):
        outcomes += _course(node, obs, place, record)
    return outcomes


def _course(node: Node, obs: Node, place: int, record: Record) -> list[Outcome]:
    points = points_of(obs, record)
    if len({point.day for point in points}) < 2:
        return [unsupported("direction", "the record has no course of it")]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    chosen = _chosen(points, spans, record)
    begin, end = node.all("from"), node.all("to") if place == 0 else node.all("second")
    found: list[Outcome] = []
    start, last = chosen[:1], chosen[-1:]
    if begin:
        start, outcome = _end(begin[0], node.all("fromat"), points, chosen[:1] if spans else points, record)
        found.append(outcome)
    if end and node.says("direction") != "steady":
        last, outcome = _end(end[0], node.all("toat"), points, chosen[-1:] if not node.all("toat") else points, record)
        found.append(outcome)
    if end and node.says("direction") == "steady":
        found += [_stays_at(end[0], chosen)]
    if not start or not last or (begin and end and start[0].day >= last[-1].day):
        order = contradicted("direction", "the record has them in another order") if begin and end and start and last else None
        return [*found, order] if order else found or [unsupported("direction", NO_RESULT)]
    direction = node.says("direction")
    if direction == "flag":
        (flag,) = node.all("flag")[:1]
        if flag.text not in _ARROWS:
            return [*found, results.level(flag.says("level"), last[-1])]
        direction = _ARROWS[flag.text]
    return [*found, *_length(spans, start[0], last[-1]), _direction(direction, start[0], last[-1], chosen)]


def _chosen(points: Sequence[Point], spans: Sequence[Span], record: Record) -> list[Point]:
    """Of `over two years` without a beginning: the points of the last two years."""
    return within(points, [span for span in spans if span.relation not in ("span",)], record) if spans else list(points)


def _end(
    value: Node, at: Sequence[Node], points: Sequence[Point], usual: Sequence[Point], record: Record
) -> tuple[list[Point], Outcome]:
    said, about = meaning.amount(value), meaning.is_about(value)
    pool = list(usual)
    if at:
        spans = meaning.spans(at[0], record)
        pool = [each for each in points if all(span.includes(each.day) for span in spans if span.readings)]
        if any(span.relation == "now" for span in spans):
            pool = list(points[-1:])
    agreeing = [each for each in pool if results._says(said, each, about=about)]
    if agreeing:
        return agreeing, supported("value", agreeing[0].facts)
    if not pool:
        return [], unsupported("date", "the record has no such result of that time")
    return [], results._disagreement(said, pool)


def _stays_at(value: Node, chosen: Sequence[Point]) -> Outcome:
    said = meaning.amount(value)
    for point in chosen:
        actual = in_unit(point, said.unit)
        if actual is None or abs(actual - said.value) > abs(actual) * STEADY:
            return contradicted("value", f"the record has {told(point)} on {point.day}", point.facts)
    return supported("value", chosen[-1].facts)


def _length(spans: Sequence[Span], start: Point, last: Point) -> list[Outcome]:
    """Whether a course took as long as is said."""
    found = []
    for span in spans:
        if span.relation == "span":
            actual = (last.day - start.day).days
            right = abs(actual - span.length) <= max(span.length * 0.15, 3)
            used = (*start.facts, *last.facts)
            found.append(supported("interval", used) if right else
                         contradicted("interval", f"the record has it from {start.day} to {last.day}", used))  # fmt: skip
    return found


def _direction(wanted: str, start: Point, last: Point, chosen: Sequence[Point]) -> Outcome:
    used = (*start.facts, *last.facts)
    reason = f"the record goes from {told(start)} on {start.day} to {told(last)} on {last.day}"
    change = last.value - start.value
    small = abs(change) <= abs(start.value) * STEADY
    if wanted in ("better", "worse"):
        worse = results.worse_direction([start, last])
        if not worse:
            return unsupported("direction", "which direction is the better one is not known")
        wanted = "rise" if (worse > 0) == (wanted == "worse") else "fall"
    match wanted:
        case "steady":
            moving = [each for each in chosen if abs(each.value - start.value) > abs(start.value) * STEADY]
            return contradicted("direction", reason, used) if moving else supported("direction", used)
        case "same":
            return supported("direction", used) if small else contradicted("direction", reason, used)
        case "change":
            return supported("direction", used)
        case "rise":
            holds = change > 0 and not (small and len(chosen) > 2 and change == 0)
        case _:
            holds = change < 0
    return supported("direction", used) if holds else contradicted("direction", reason, used)


def changed_by(node: Node, record: Record) -> list[Outcome]:
    """By an amount, a share or a factor."""
    points = points_of(node.all("obs")[0], record)
    return _changed_by(node, points, record)


def weight_change(node: Node, record: Record) -> list[Outcome]:
    """Weight lost or gained."""
    from grounding import keys

    return _changed_by(node, record.points(frozenset({keys.of_loinc("29463-7")})), record)


def _changed_by(node: Node, points: Sequence[Point], record: Record) -> list[Outcome]:
    if len({point.day for point in points}) < 2:
        return [unsupported("direction", "the record has no course of it")]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    chosen = within(points, [span for span in spans if span.relation != "span"], record)
    if any(span.relation == "span" for span in spans):
        chosen = within(points, spans, record)
    if len(chosen) < 2:
        return [unsupported("direction", "the record has no course of it in that time")]
    first, last = chosen[0], chosen[-1]
    direction = _direction(node.says("direction"), first, last, chosen)
    if not direction.holds:
        return [direction]
    used = (*first.facts, *last.facts)
    reason = f"the record goes from {told(first)} on {first.day} to {told(last)} on {last.day}"
    right = _by_factor(node, first, last) if node.says("factor") else _by_amount(node, first, last)
    return [direction, supported("value", used) if right else contradicted("value", reason, used)]


def _by_factor(node: Node, first: Point, last: Point) -> bool:
    if not first.value:
        return False
    factor, actual = Decimal(node.says("factor")), last.value / first.value
    if node.says("over"):
        return actual > factor
    return abs(actual - factor) <= factor * Decimal("0.1")


def _by_amount(node: Node, first: Point, last: Point) -> bool:
    value = node.all("by")[0]
    said, about = meaning.amount(value), meaning.is_about(value)
    if said.unit == "%":
        share = abs(last.value - first.value) / first.value * 100
        return meaning.agrees(Amount(said.value), share, about=about) or abs(share - said.value) <= 1
    before, after = in_unit(first, said.unit), in_unit(last, said.unit)
    if before is None or after is None:
        return False
    change = abs(after - before)
    tolerance = Decimal("0.1") if about else Decimal(0)
    return said.value == change or abs(change - said.value) <= change * tolerance or _rounded(said, change)


def _rounded(said: Amount, actual: Decimal) -> bool:
    return round(actual, said.decimals) == said.value and said.value != 0
