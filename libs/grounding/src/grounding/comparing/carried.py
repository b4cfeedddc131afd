"""Clauses that leave out their subject: what they say follows, in time or direction, the clause before them."""

from collections.abc import Sequence
from dataclasses import replace

from grounding.comparing import meaning, results, series
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.comparing.series import points_of, within
from grounding.reading.grammar import PRIOR
from grounding.reading.nodes import Node

# Kinds of clauses whose values go one way, so that a value which is only listed behind them goes on in that way.
_COURSES = frozenset(("course", "course-series", "changed-by", "from-value"))
_NEWEST = frozenset(("now", "currently", "is", "are"))


def ending(clause: Node, subject: Node, record: Record) -> list[Point]:
    """The points with which a clause about a result ends, oldest first; UnclearError where it tells none."""
    points = points_of(subject, record)
    value = next(iter(reversed(list(clause.within("value")))), None)
    whens = [_dated(each, points) for each in _last_whens(clause)]
    pool = within(points, series.spans_of(whens, record), record)
    agreeing = series.saying(value, pool) if value else pool
    if not agreeing:
        raise UnclearError("what it follows")
    return agreeing


def _dated(when: Node, points: Sequence[Point]) -> Node:
    """`At the last three checks`, by the points that are meant."""
    return replace(when, value=series.of_last(when, points)) if "lastn" in when.kinds else when


def _last_whens(clause: Node) -> list[Node]:
    """The times behind the last value, or else all."""
    flat = list(_flat(clause))
    places = [place for place, part in enumerate(flat) if "value" in part.kinds]
    behind = [part for part in flat[places[-1] + 1 :] if "when" in part.kinds] if places else []
    return behind or [part for part in flat if "when" in part.kinds][-1:]


def _flat(node: Node) -> list[Node]:
    """Values and times in their order."""
    return [each for part in node.parts for each in ([part] if part.kinds & {"value", "when"} else _flat(part))]


def measured(node: Node, record: Record) -> list[Outcome]:
    """One more value of the same result: at its own time, or later than the one before it."""
    subject, prior = node.all("obs")[0], node.all(PRIOR)[0]
    dated = any(span.readings for span in series.spans_of(node.all("when"), record))
    ended = [] if dated and not way_of(prior) and any(prior.within("value")) else ending(prior, subject, record)
    pool = _pool(node, ended, record)
    if not any(prior.within("value")):
        # `Was done once, in February 2007, with a score of 1.`
        pool = within(ended, series.spans_of(node.all("when"), record), record)
    if not pool:
        return [series.other_day(points_of(subject, record), meaning.amount(node.all("value")[0]))]
    if node.one("days"):
        return results.on_each_day(node.all("value")[0], node.all("days")[0], points_of(subject, record), record)
    agreeing = series.saying(node.all("value")[0], pool)
    if not agreeing:
        return [series.disagreement(meaning.amount(node.all("value")[0]), pool)]
    levels = [outcome for each in node.all("flag") for outcome in results.flagged(each, agreeing, record)]
    return [supported("value", agreeing[0].facts), *levels, *_goes_on(node, ended, agreeing)]


def _pool(node: Node, ended: Sequence[Point], record: Record) -> list[Point]:
    """The points that a value may be of: those of its time, or those after the value before it."""
    points = points_of(node.all("obs")[0], record)
    spans = [span for span in series.spans_of(node.all("when"), record) if span.readings]
    if spans:
        return within(points, spans, record)
    if {part.text for part in node.parts} & _NEWEST or "is now" in node.text:
        return series.newest(points)
    return [each for each in points if each.at > ended[0].at]


def _goes_on(node: Node, ended: Sequence[Point], agreeing: Sequence[Point]) -> list[Outcome]:
    """A value that is only listed behind a course goes on as the course goes."""
    way = way_of(node.all(PRIOR)[0])
    listed = not {part.text for part in node.parts if not part.kinds} - {",", "and", "to", "then"}
    if not way or not listed:
        return []
    before = ended[0]
    used = (*before.facts, *agreeing[0].facts)
    step = {"rise": 1, "fall": -1}[way]
    if any(each.at > before.at and (each.value - before.value) * step >= 0 for each in agreeing):
        return [supported("direction", used)]
    return [unsupported("direction", f"the record has {series.told(before)} before")]


def way_of(clause: Node) -> str:
    """Whether the values of a clause rise or fall, as far as it says so."""
    way = clause.says("direction")
    if clause.kind in _COURSES and way in ("rise", "fall"):
        return way
    prior = clause.one(PRIOR)
    listed = prior and clause.kind == "measured" and not {part.text for part in clause.parts if not part.kinds} - {
        ",", "and", "to", "then"
    }  # fmt: skip
    return way_of(prior) if prior and listed else ""
