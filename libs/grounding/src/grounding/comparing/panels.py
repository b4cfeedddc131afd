"""Panels, by the results of their members: when the last one was, how many there are, which has the highest value."""

from collections.abc import Sequence
from datetime import date

from grounding.comparing import meaning, series
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported
from grounding.comparing.record import Point, Record
from grounding.reading import names
from grounding.reading.nodes import Node


def when(node: Node, record: Record) -> list[Outcome]:
    """`Her last lipid panel was done in May 2022`."""
    points = _points(node, record)
    spans = [span for span in series.spans_of(node.all("when"), record) if span.readings]
    if not points or not spans:
        raise UnclearError("which panel is meant")
    order = next((series.order_of(each) for each in node.all("rank")), "") or _told_order(node)
    meant = series.extremes(points, order) if order in ("first", "last") else points
    fitting = series.within(meant, spans, record)
    if fitting:
        return [supported("date", fitting[-1].facts)]
    return [contradicted("date", f"the record has it on {meant[-1].day}", meant[-1].facts)]


def _told_order(node: Node) -> str:
    words = {part.text for part in node.parts if not part.kinds}
    return (
        "last" if words & {"last", "latest", "recent", "newest"} else "first" if words & {"first", "earliest"} else ""
    )


def counted(node: Node, record: Record) -> list[Outcome]:
    """`Seven lipid panels have been recorded`: so many days with at least two results of it."""
    points = series.within(_points(node, record), series.spans_of(node.all("when"), record), record)
    days, told = _days(points), meaning.tally(node.all("n")[0])
    if not days:
        raise UnclearError("which panels are meant")
    if told == len(days):
        return [supported("count", points[-1].facts)]
    return [contradicted("count", f"the record has {len(days)}", points[-1].facts)]


def extreme(node: Node, record: Record) -> list[Outcome]:
    """`Of the three lipid panels, the one from 2019 had the lowest LDL`."""
    obs, points = node.all("obs")[0], _points(node, record)
    number = meaning.amount(node.all("n")[0]).value
    order, own = series.order_of(obs), series.points_of(obs, record.whole)
    if not points or not own or order not in ("highest", "lowest"):
        raise UnclearError("which panel is meant")
    if number != len(_days(points)):
        return [contradicted("count", f"the record has {len(_days(points))}", points[-1].facts)]
    meant = series.extremes(own, order)
    if series.within(meant, series.spans_of(node.all("when"), record), record):
        return [supported("order", meant[-1].facts)]
    return [contradicted("order", f"the record has it on {meant[-1].day}", meant[-1].facts)]


def _points(node: Node, record: Record) -> list[Point]:
    """The results of the members, in their order, of days that have at least two of them."""
    named = meaning.keys(node.all("panel")[0], names.PANEL)
    members = [key for panel in named for key in names.members().get(panel, ())]
    if not members:
        return []
    points = sorted(
        (each for key in members for each in record.whole.points(frozenset({key}))), key=lambda each: each.at
    )
    days = _days(points)
    return [each for each in points if each.day in days]


def _days(points: Sequence[Point]) -> set[date]:
    measured: dict[date, set[frozenset[str]]] = {}
    for point in points:
        measured.setdefault(point.day, set()).add(frozenset(str(fact.code.code) for fact in point.facts))
    return {day for day, own in measured.items() if len(own) > 1}
