"""Over how many values something is said: `across nine measurements potassium ranged from 3.4 to 4.9`."""

from grounding.comparing import meaning, series
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported
from grounding.comparing.record import Record
from grounding.reading.nodes import Node


def counted(tally: Node, clause: Node, record: Record) -> Outcome:
    """Whether the result of a clause was measured so often, in the time that is told; UnclearError where it has none."""
    subject = _subject(clause)
    points = series.points_of(subject, record.whole)
    inside = series.within(points, series.spans_of(clause.within("when"), record), record) if points else []
    told = meaning.amount(next(iter((*tally.all("n"), *tally.all("value")))))
    listed = len(list(clause.within("value")))
    if told.unit or told.decimals or not inside:
        raise UnclearError("how many values are meant")
    actual = len({each.at for each in points})
    if int(told.value) in (actual, len({each.at for each in inside}), listed):
        return supported("count", inside[-1].facts)
    return contradicted("count", f"the record has {actual} of them", inside[-1].facts)


def _subject(clause: Node) -> Node:
    own = [*clause.all("obs"), *(each for result in clause.within("result") for each in result.all("obs"))]
    if len({each.text for each in own}) != 1:
        raise UnclearError("of what so many values are meant")
    return own[0]
