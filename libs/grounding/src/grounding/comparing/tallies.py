"""Over how many values something is said: `across nine measurements potassium ranged from 3.4 to 4.9`."""

from dataclasses import replace

from grounding.comparing import meaning, panels, readings, results, series
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.reading.nodes import Node


def counted(tally: Node, clause: Node, record: Record) -> Outcome:
    """Whether the result of a clause was measured so often, in the time that is told; UnclearError where it has none."""
    if tally.all("panel"):
        return panels.counted(tally, record)[0]
    subject = _subject(clause)
    points = series.points_of(subject, record.whole)
    inside = series.within(points, series.spans_of(clause.within("when"), record), record) if points else []
    number = tally.all("n")[0]
    if "bound" in number.kinds and not number.text.startswith("over "):
        raise UnclearError("how many values are meant")
    told = meaning.amount(number)
    listed = len(list(clause.within("value")))
    if told.unit or told.decimals or not inside:
        raise UnclearError("how many values are meant")
    actual = len({each.at for each in points})
    if int(told.value) in (actual, len({each.at for each in inside}), listed):
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
    if len(bound) != 1:
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
    told = meaning.amount(said[0].value) if len(said) == 1 else None
    if told is None or told.unit or told.decimals or said[0].whens:
        raise UnclearError("how many values are meant")
    return said[0].subject, int(told.value)


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
