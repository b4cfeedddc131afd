"""What is added to a value that was told: where it came from, whether it is normal, that it was not reached again."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from grounding.comparing import carried, courses, levels, meaning, readings, results, series, valued
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.comparing.series import NO_TIME, points_of, told, within
from grounding.reading.grammar import PRIOR
from grounding.reading.nodes import Node

_RANKS = {
    **dict.fromkeys(("first", "initial", "baseline", "earliest"), "first"),
    **dict.fromkeys(("previous", "prior", "preceding", "last"), "last"),
    **dict.fromkeys(("peak", "high", "highest"), "highest"),
    **dict.fromkeys(("nadir", "low", "lowest"), "lowest"),
}
_FACTORS = {"twice": Decimal(2), "double": Decimal(2), "half": Decimal("0.5")}
_NEAR, _WIDE = Decimal("0.1"), Decimal("0.2")


def _ended(node: Node, record: Record) -> list[Point]:
    return carried.ending(node.all(PRIOR)[0], node.all("obs")[0], record)


def came_from(node: Node, record: Record) -> list[Outcome]:
    """`6.1 %, up from 5.9 % in 2023`, `compared with 5.9 %`: an earlier value, by its time or its place."""
    subject, last = node.all("obs")[0], _ended(node, record)[-1]
    points = points_of(subject, record)
    whens = series.spans_of(node.all("when"), record)
    if any(not span.readings for span in whens):
        raise UnclearError("which time is meant")
    is_compared = node.says("direction") == "change" and bool(whens)
    others = [each for each in points if each.at < last.at or (is_compared and each.at != last.at)]
    ranks = [_RANKS[part.text] for part in node.parts if not part.kinds and part.text in _RANKS]
    pool = within(others, whens, record) if whens else series.extremes(others, (ranks or ["last"])[-1])
    if not pool:
        return [unsupported("date", NO_TIME)]
    value = node.all("from")[0]
    agreeing = series.saying(value, pool)
    if not agreeing:
        return [series.disagreement(meaning.amount(value), pool)]
    found = [supported("value", agreeing[-1].facts), *_ranked(ranks, others, agreeing)]
    return [*found, courses.direction(node.says("direction"), agreeing[-1], last)]


def early(node: Node, record: Record) -> list[Outcome]:
    """The value that a clause tells beside its own: `which was 1.1 in 2019, is now 1.5`."""
    if not node.all("early"):
        return []
    own = [*node.all("obs"), *(each for result in node.within("result") for each in result.all("obs"))]
    points = points_of(own[0], record)
    chosen = within(points, series.spans_of(node.all("earlyat"), record), record)
    if not chosen:
        return [unsupported("date", NO_TIME)]
    return [results.of_those(node.all("early")[0], chosen)]


def _ranked(ranks: Sequence[str], others: Sequence[Point], agreeing: Sequence[Point]) -> list[Outcome]:
    meant = [series.extremes(others, rank) for rank in ranks]
    return [
        contradicted("order", f"the record has {told(each[-1])} on {each[-1].day}", each[-1].facts)
        for each in meant
        if {point.at for point in each}.isdisjoint(point.at for point in agreeing)
    ]


def level_tail(node: Node, record: Record) -> list[Outcome]:
    """`..., which is low`: of the value that was told."""
    points = _ended(node, record)
    if node.says("risk"):
        return [levels.risk(node.says("risk"), points, record)]
    wanted = node.says("level") or next((each.says("level") for each in node.all("flag")), "")
    return [levels.worst_level(wanted, points), *levels.extents(node, points)]


def class_tail(node: Node, record: Record) -> list[Outcome]:
    """`..., in the overweight range`: of the body mass index that was told."""
    return valued.in_class(node, _ended(node, record)[-1:], record)


def not_since(node: Node, record: Record) -> list[Outcome]:
    """`..., and it has not reached that level since`."""
    last = _ended(node, record)[-1]
    later = [each for each in points_of(node.all("obs")[0], record.whole) if each.at > last.at]
    sign = -1 if node.says("direction") == "fall" else 1
    beyond = [each for each in later if (each.value - last.value) * sign >= 0]
    if beyond:
        return [contradicted("value", f"the record has {told(beyond[-1])} on {beyond[-1].day}", beyond[-1].facts)]
    if not later:
        return [unsupported("value", "the record has no later value")]
    return [supported("value", later[-1].facts)]


def repeated(node: Node, record: Record) -> list[Outcome]:
    """`HbA1c was repeated in May 2024 and was 6.1 %`: a value that is not the first one."""
    subject = node.all("obs")[0]
    points = points_of(subject, record.whole)
    chosen = within(points, series.spans_of(node.all("when"), record), record)
    if not chosen:
        return [unsupported("date", NO_TIME)]
    later = [each for each in chosen if each.at > points[0].at]
    if not later:
        return [contradicted("order", "the record has no value before it", chosen[-1].facts)]
    if not node.all("value"):
        return [supported("order", later[-1].facts)]
    agreeing = series.saying(node.all("value")[0], later)
    if agreeing:
        return [supported("value", agreeing[-1].facts)]
    return [series.disagreement(meaning.amount(node.all("value")[0]), later)]


def ratio(node: Node, record: Record) -> list[Outcome]:
    """`Twice as high in 2011 as in 2017`: one value against another of a named time."""
    points = points_of(node.all("obs")[0], record)
    first, second = results.at(node.all("first"), points, record), results.at(node.all("second"), points, record)
    if not first or not second:
        return [unsupported("date", NO_TIME)]
    told_ = [(each, at) for role, at in (("value", first), ("other", second)) for each in node.all(role)]
    values = [results.of_those(each, at) for each, at in told_]
    return [*values, _is_so_many_times(node, first[-1], second[-1])]


def _is_so_many_times(node: Node, first: Point, second: Point) -> Outcome:
    used = (*first.facts, *second.facts)
    reason = f"the record has {told(first)} on {first.day} and {told(second)} on {second.day}"
    if not second.value:
        return unsupported("value", "no ratio to 0")
    actual, factor = first.value / second.value, _factor(node)
    words = {part.text for part in node.parts}
    right = abs(actual - factor) <= factor * _NEAR
    if words & {"more", "over"}:
        right = actual > factor
    elif words & {"less", "under", "almost", "nearly"} and "no" not in words:
        right = factor * (1 - _WIDE) <= actual <= factor
    return supported("value", used) if right else contradicted("value", reason, used)


def _factor(node: Node) -> Decimal:
    if node.all("times"):
        return Decimal(meaning.count(node.all("times")[0]))
    if node.all("part"):
        part = node.all("part")[0]
        return Decimal(part.says("numerator")) / Decimal(part.says("denominator"))
    return next(_FACTORS[part.text] for part in node.parts if part.text in _FACTORS)


def differing(node: Node, record: Record) -> list[Outcome]:
    """`2 kg higher in 2020 than in 2010`: the direction, the values and the difference."""
    (said,) = readings.readings(node.all("diff")[0])[:1]
    if said.flags or said.behind:
        raise UnclearError("which value is meant")
    first_at = node.all("first") or said.before
    node = replace(node, roles={**node.roles, "obs": (said.subject,), "by": (said.value,), "first": first_at})
    points = points_of(said.subject, record)
    found = results.compared(node, record)
    if not all(each.holds for each in found):
        return found
    first, second = results.at(node.all("first"), points, record), results.at(node.all("second"), points, record)
    way = {"higher": "rise", "lower": "fall"}[node.says("direction")]
    return [*found, *courses.changed(replace(node, sets={**node.sets, "direction": way}), second[-1], first[-1])]


def than_previous(node: Node, record: Record) -> list[Outcome]:
    """`The latest HbA1c is higher than the previous one`."""
    subject = node.all("obs")[0]
    if any(each.text != "one" for each in node.all("one")):
        raise UnclearError("which value is meant")
    points = points_of(subject, record.whole, dated=False)
    order = series.order_of(subject) or "last"
    meant = series.extremes(points_of(subject, record.whole), order) if points else []
    earlier = series.extremes([each for each in points if meant and each.at < meant[-1].at], "last")
    if not earlier or order != "last":
        return [unsupported("direction", NO_TIME)]
    told_ = [(each, at) for role, at in (("value", meant), ("other", earlier)) for each in node.all(role)]
    values = [results.of_those(each, at) for each, at in told_]
    return [*values, courses.direction(node.says("direction"), earlier[-1], meant[-1])]


def judged_all(node: Node, record: Record) -> list[Outcome]:
    """Every value high, low or normal."""
    points = points_of(node.all("obs")[0], record.whole)
    chosen = within(points, series.spans_of(node.all("when"), record), record) if points else []
    return [levels.worst_level(node.says("level"), chosen)] if chosen else [unsupported("level", NO_TIME)]
