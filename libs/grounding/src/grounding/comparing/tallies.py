"""Over how many values something is said: `across nine measurements potassium ranged from 3.4 to 4.9`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from grounding.comparing import meaning, panels, readings, results, series
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.reading.nodes import Node

_EXCEEDING = frozenset(("exceeded", "exceeds", "surpassed", "over"))


def beside(aside: Node, clause: Node, record: Record) -> Outcome:
    """What is told beside a clause of its result."""
    if "tally" in aside.kinds:
        return counted(aside, clause, record)
    return past(aside, series.points_of(_subject(clause), record.whole), record)


def past(aside: Node, points: Sequence[Point], record: Record) -> Outcome:
    """`After peaking at 161 in 2009`, `which was 1.1 in 2019`: an earlier value, its time and how it came about."""
    spans = series.spans_of(aside.all("when"), record)
    chosen = series.within(points, spans, record) if points else []
    agreeing = series.saying(aside.all("value")[0], chosen)
    if aside.says("order"):
        meant = {each.at for each in series.extremes(points, aside.says("order"))}
        agreeing = [each for each in agreeing if each.at in meant]
    way = {"rise": 1, "fall": -1}.get(aside.says("direction"), 0)
    agreeing = [each for each in agreeing if not way or _came(each, points, way)]
    if agreeing and (spans or agreeing[-1].at < points[-1].at):
        return supported("value", agreeing[-1].facts)
    return unsupported("value", "the record does not have this value before")


def _came(point: Point, points: Sequence[Point], way: int) -> bool:
    before = [each for each in points if each.at < point.at]
    return bool(before) and (point.value - before[-1].value) * way > 0


def pasts(clause: Node, record: Record) -> list[Outcome]:
    """The earlier values that stand within the names of results."""
    named = [obs for obs in _observed(clause) if obs.all("past")]
    return [past(each, series.points_of(obs, record.whole), record) for obs in named for each in obs.all("past")]


def _observed(node: Node) -> Iterator[Node]:
    for part in node.parts:
        if "obs" in part.kinds:
            yield part
        yield from _observed(part)


def counted(tally: Node, clause: Node, record: Record) -> Outcome:
    """Whether the result of a clause was measured so often in the time that is told; UnclearError without a result."""
    if tally.all("panel"):
        return panels.counted(tally, record)[0]
    subject = _subject(clause)
    points = series.points_of(subject, record.whole)
    inside = series.within(points, series.spans_of(clause.within("when"), record), record) if points else []
    told, listed = meaning.tally(tally.all("n")[0]), len(list(clause.within("value")))
    if not inside:
        raise UnclearError("which values are meant")
    actual = len({each.at for each in points})
    if told in (actual, len({each.at for each in inside}), listed):
        return supported("count", inside[-1].facts)
    return contradicted("count", f"the record has {actual} of them", inside[-1].facts)


def of_last(node: Node, clause: Node, record: Record) -> Span:
    """The time of the last values of the result that a clause is about, as many as are told."""
    return series.of_last(node, series.points_of(_subject(clause), record.whole))


def _subject(clause: Node) -> Node:
    own = [*clause.all("obs"), *(each for result in clause.within("result") for each in result.all("obs"))]
    if len({each.text for each in own}) != 1:
        raise UnclearError("of what so many values are meant")
    return own[0]


def beyond(node: Node, record: Record) -> list[Outcome]:
    """On so many occasions above or below a value."""
    subject, number = _counted(node)
    points = series.points_of(subject, record.whole)
    inside = series.within(points, series.spans_of(node.all("when"), record), record) if points else []
    if not inside:
        return [unsupported("value", series.NO_TIME if points else series.NO_RESULT)]
    bound = node.all("bound") or tuple(_above(each) for each in (*node.all("limit"), *node.all("value")))
    is_limit = bool(node.all("bound")) or not {part.text for part in node.parts}.isdisjoint(_EXCEEDING)
    if len(bound) != 1 or not is_limit:
        raise UnclearError("which value is meant")
    actual = len({each.at for each in inside if results.within_bound(each, bound[0])})
    if actual == number:
        return [supported("count", inside[-1].facts)]
    return [contradicted("count", f"the record has {actual} of them", inside[-1].facts)]


def _above(value: Node) -> Node:
    """`Exceeded 140`."""
    return replace(value, sets={**value.sets, "compare": "above"})


def _counted(node: Node) -> tuple[Node, int]:
    said = readings.readings(node)
    if node.all("times"):
        return node.all("obs")[0], meaning.count(node.all("times")[0])
    if len(said) != 1 or said[0].whens:
        raise UnclearError("how many values are meant")
    return said[0].subject, meaning.tally(said[0].value)


def since_last(node: Node, record: Record) -> list[Outcome]:
    """`It has been two years since her last HbA1c`."""
    obs = node.all("obs")[0]
    points = series.points_of(obs, record.whole)
    if not points or series.order_of(obs) != "last":
        raise UnclearError("which value is meant")
    length = node.all("duration")[0]
    actual, slack = (record.today - points[-1].day).days, max(meaning.slack_of(length), 1)
    if abs(actual - meaning.days(length)) <= slack:
        return [supported("interval", points[-1].facts)]
    return [contradicted("interval", f"the record has it on {points[-1].day}", points[-1].facts)]


def first_beyond(node: Node, record: Record) -> list[Outcome]:
    """`HbA1c first exceeded 6 % in May 2024`: the first value on that side of the limit was then."""
    points = series.points_of(node.all("obs")[0], record.whole)
    bound = (*node.all("bound"), *(_above(each) for each in node.all("value")))[0]
    fitting = [each for each in points if results.within_bound(each, bound)]
    if not fitting:
        return [contradicted("value", "the record has no such value", points[-1].facts) if points else _none()]
    if series.within(fitting[:1], series.spans_of(node.all("when"), record), record):
        return [supported("order", fitting[0].facts)]
    return [contradicted("date", f"the record has it on {fitting[0].day}", fitting[0].facts)]


def _none() -> Outcome:
    return unsupported("value", series.NO_RESULT)
