"""What is said of all values of a result: the highest and lowest with their time, bounds that they keep."""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from terminology import units

from grounding.comparing import carried, meaning, readings, results, series
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.readings import is_when
from grounding.comparing.record import Point, Record
from grounding.comparing.series import NO_RESULT, NO_TIME, points_of, told, within
from grounding.reading import names
from grounding.reading.grammar import ADJUNCT, LEAD, PRIOR
from grounding.reading.nodes import Node

_PAIN = re.compile("(?:(?:the|her|his|their|a) )?pain")
_FEWEST = 2
_DURING = frozenset(("during-anchor", "during"))
_LASTING = frozenset(("since", "span", "between", "until", "before", "after"))


def extreme(node: Node, record: Record) -> list[Outcome]:
    """The highest or lowest value, with the value and the day that are told."""
    points = points_of(node.all("obs")[0], record.whole, dated=False)
    if not points:
        return [unsupported("value", NO_RESULT)]
    if len(points) != len(points_of(node.all("obs")[0], record.whole)):
        raise UnclearError("of which time the values are")
    lasting, days = _times(node, record)
    inside = within(points, lasting, record)
    if not inside:
        return [unsupported("date", NO_TIME)]
    ranks = [each for part in node.parts if (each := series.order_of(part))] or [node.says("order")]
    meant = series.extremes(inside, ranks[-1])
    others = {each.at for rank in ranks[:-1] for each in series.extremes(inside, rank)}
    if others and others.isdisjoint(each.at for each in meant):
        return [contradicted("order", f"the record has {told(meant[-1])} on {meant[-1].day}", meant[-1].facts)]
    found = [supported("order", meant[-1].facts)]
    numbered = [one for rank in node.all("rank") for one in rank.all("one") if one.text.lower() != "one"]
    for value in (*node.all("value"), *numbered):
        agreeing = series.saying(value, meant)
        found.append(supported("value", agreeing[-1].facts) if agreeing else _wrong(value, meant))
    if not days and len(found) == 1:
        return _now(node, meant, _of_prior(node, record) or inside)
    return [*found, *_dated(meant, days, record)]


def _times(node: Node, record: Record) -> tuple[list[meaning.Span], list[meaning.Span]]:
    """The times in which a value is the highest, and those that say when it was."""
    prior = node.one(PRIOR)
    shared = [each for role in (LEAD, ADJUNCT) for each in (prior.all(role) if prior else ())]
    whens = [*filter(is_when, node.parts), *(each for each in shared if each.says("time") == "during-anchor")]
    during = series.spans_of((each for each in whens if each.says("time") in _DURING), record)
    spans = series.spans_of((each for each in whens if each.says("time") not in _DURING), record)
    days = [span for span in spans if span.relation not in _LASTING and span.readings]
    return [*during, *(span for span in spans if span.relation in _LASTING)], days


def among(node: Node, record: Record) -> list[Outcome]:
    """That the value of the clause before is the highest or lowest of so many: `the lowest of her eight values`."""
    told_of = node.all("rankof")[0]
    spans = series.spans_of(told_of.all("during"), record)
    points = within(points_of(node.all("obs")[0], record.whole), spans, record)
    ended = carried.ending(node.all(PRIOR)[0], node.all("obs")[0], record)
    number = meaning.amount(told_of.all("n")[0]).value
    actual = len({each.at for each in points})
    if number != actual:
        return [contradicted("count", f"the record has {actual} of them", points[-1].facts if points else ())]
    meant = series.extremes(points, series.order_of(told_of))
    if {each.at for each in ended} & {each.at for each in meant}:
        return [supported("order", meant[-1].facts)]
    return [contradicted("order", f"the record has {told(meant[-1])} on {meant[-1].day}", meant[-1].facts)]


def of_all(node: Node, record: Record) -> list[Outcome]:
    """`Of the six scores the latest is the highest`, `the highest of the six values was 6.3 in April 2017`."""
    which = [*node.all("which"), *node.all("rank")]
    counted = [each for results_ in node.all("counted") for each in readings.readings(results_)]
    named = [each for each in (*node.all("obs"), *node.all("which")) if "obs" in each.kinds]
    named += [each.subject for each in counted]
    points = points_of(named[0], record.whole, dated=False) if named else ()
    if not points:
        return [unsupported("value", NO_RESULT)]
    actual = len({each.at for each in points})
    if any(meaning.tally(each) != actual for each in (*node.all("n"), *(one.value for one in counted))):
        return [contradicted("count", f"the record has {actual} of them", points[-1].facts)]
    first, *others = [series.extremes(points, series.order_of(each)) for each in which]
    meant = [each for each in first if all(each.at in {one.at for one in other} for other in others)]
    if not meant:
        return [contradicted("order", f"the record has {told(first[-1])} on {first[-1].day}", first[-1].facts)]
    found = [supported("order", meant[-1].facts)]
    for value in node.all("value"):
        agreeing = series.saying(value, meant)
        found.append(supported("value", agreeing[-1].facts) if agreeing else _wrong(value, meant))
    return [*found, *_dated(meant, series.spans_of(node.all("when"), record), record)]


def _of_prior(node: Node, record: Record) -> list[Point]:
    """`4/10 in February, the highest so far`: the value before is meant."""
    prior = node.one(PRIOR)
    return carried.ending(prior, node.all("obs")[0], record) if prior else []


def _now(node: Node, meant: Sequence[Point], inside: Sequence[Point]) -> list[Outcome]:
    """`Is at its lowest`: the newest one is meant."""
    if not node.one(PRIOR) and not {part.text for part in node.parts} & {"is", "are", "now"}:
        raise UnclearError("which value is meant")
    newest = {each.at for each in series.newest(inside)}
    if newest & {each.at for each in meant}:
        return [supported("order", meant[-1].facts)]
    return [contradicted("order", f"the record has {told(meant[-1])} on {meant[-1].day}", meant[-1].facts)]


def _wrong(value: Node, meant: Sequence[Point]) -> Outcome:
    return series.disagreement(meaning.amount(value), meant)


def _dated(meant: Sequence[Point], days: Sequence[meaning.Span], record: Record) -> list[Outcome]:
    if not days:
        return []
    on_time = within(meant, days, record)
    if on_time:
        return [supported("date", on_time[-1].facts)]
    return [contradicted("date", f"the record has it on {meant[-1].day}", meant[-1].facts)]


def always(node: Node, record: Record) -> list[Outcome]:
    """Each value within a bound; `no value above`: none."""
    chosen, lacking = _chosen(node, record)
    if not chosen:
        return lacking
    if any(each.says("manner") != "steadily" for each in node.all("manner")):
        return [unsupported("manner", "how it stayed so is not clear")]
    failing = [each for each in chosen if not _is_as_told(each, node)]
    counts = [meaning.amount(each).value for each in node.all("n")]
    counts += [Decimal(meaning.count(each)) for each in node.all("times")]
    if any(count != len(chosen) for count in counts):
        return [contradicted("count", f"the record has {len(chosen)}", chosen[-1].facts)]
    if failing:
        return [contradicted("value", f"the record has {told(failing[-1])} on {failing[-1].day}", failing[-1].facts)]
    days = [each for day in node.all("days") for each in results.on_each_day(_values(node)[0], day, chosen, record)]
    return [supported("value", chosen[-1].facts), *days]


def _is_as_told(point: Point, node: Node) -> bool:
    if node.all("bound"):
        return results.within_bound(point, node.all("bound")[0]) != bool(node.says("not"))
    value = _values(node)[0]
    return bool(series.saying(value, [point]))


def _values(node: Node) -> list[Node]:
    return [*node.all("value"), *(each.value for each in readings.readings(node))]


def sometimes(node: Node, record: Record) -> list[Outcome]:
    """At least one value within a bound."""
    chosen, lacking = _chosen(node, record)
    if not chosen:
        return lacking
    if any(each.says("per") != "once" for each in node.all("times")):
        return [unsupported("count", "how often is not read")]
    fitting = [each for each in chosen if results.within_bound(each, node.all("bound")[0])]
    if fitting:
        return [supported("value", fitting[-1].facts)]
    return [contradicted("value", f"the record has {told(chosen[-1])} on {chosen[-1].day}", chosen[-1].facts)]


def _chosen(node: Node, record: Record) -> tuple[list[Point], list[Outcome]]:
    within_ = readings.readings(node)
    if len(within_) > 1 or any(each.whens for each in within_):
        raise UnclearError("which values are meant")
    subject = within_[0].subject if within_ else next(iter(node.all("obs")), None)
    if subject is None:
        raise UnclearError("which values are meant")
    points = points_of(subject, record.whole)
    spans = series.spans_of(filter(is_when, node.parts), record)
    chosen = within(points, spans, record) if points else []
    if node.says("later") and points:
        ended = carried.ending(node.all(PRIOR)[0], subject, record)[-1]
        chosen = [each for each in chosen if each.at > ended.at]
    return chosen, [unsupported("value", NO_TIME if points else NO_RESULT)]


def rated(node: Node, record: Record) -> list[Outcome]:
    """A score that the patient gives and that is not named as the record does: pain."""
    if any(not _PAIN.fullmatch(each.text) for each in node.all("what")):
        return [unsupported("value", "what was rated is not clear")]
    subject = names.measured(node.says("of"))
    points = points_of(subject, record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    spans = series.spans_of(filter(is_when, node.parts), record)
    chosen = within(points, spans, record) if spans else _latest(node, points)
    value = node.all("value")[0]
    agreeing = series.saying(value, chosen)
    if agreeing:
        return [supported("value", agreeing[-1].facts)]
    return [_wrong(value, chosen) if chosen else series.other_day(points, meaning.amount(value))]


def _latest(node: Node, points: Sequence[Point]) -> list[Point]:
    """Of a rating without a time: the newest where the present is meant, any where the past is."""
    is_past = bool({part.text for part in node.parts} & {"rated", "was", "reported", "had", "scored", "gave"})
    return list(points) if is_past else series.newest(points)


def averaged(node: Node, record: Record) -> list[Outcome]:
    """The mean of all values, or of those of a time, as far as its digits say it."""
    told_ = readings.readings(node)
    subject, value = (told_[0].subject, told_[0].value) if told_ else (node.all("obs")[0], node.all("value")[0])
    points = points_of(subject, record.whole)
    whens = [*filter(is_when, node.parts), *(when for each in told_ for when in each.whens)]
    chosen = within(points, series.spans_of(whens, record), record) if points else []
    if len(chosen) < _FEWEST or len(told_) > 1:
        return [unsupported("value", NO_TIME if points else NO_RESULT)]
    numbers = [meaning.amount(each).value for role in ("n", "over") for each in node.all(role)]
    counted = [
        supported("count") if number == len(chosen) else contradicted("count", f"the record has {len(chosen)}")
        for number in numbers
    ]
    mean = replace(chosen[-1], value=sum((each.value for each in chosen), Decimal(0)) / len(chosen))
    said = meaning.amount(value)
    right = said.unit in ("", units.printed(mean.unit)) and meaning.agrees(
        said, mean.value, about=meaning.is_about(value)
    )
    if right:
        return [*counted, supported("value", [fact for each in chosen for fact in each.facts])]
    return [*counted, contradicted("value", f"the mean of the {len(chosen)} values is {mean.value:.4g}", mean.facts)]


def then_always(node: Node, record: Record) -> list[Outcome]:
    """`3 in 2005 and 0 at each later screening`: the last value is that of every later time."""
    said = readings.readings(node)
    if any("bp" in each.subject.kinds for each in said):
        raise UnclearError("which values are meant")
    if any(each.says("manner") != "steadily" for each in node.all("manner")):
        raise UnclearError("how it stayed so")
    last, points = said[-1], points_of(said[-1].subject, record.whole)
    before = [each for each in said[:-1] if each.subject.text == last.subject.text]
    found = []
    at = float("-inf")
    for reading in before:
        chosen = within(points, series.spans_of(reading.whens, record), record)
        agreeing = series.saying(reading.value, chosen) if reading.whens else []
        if not agreeing:
            return [
                series.disagreement(meaning.amount(reading.value), chosen) if chosen else unsupported("date", NO_TIME)
            ]
        found.append(supported("value", agreeing[-1].facts))
        at = agreeing[-1].at
    spans = series.spans_of((*node.all("when"), *last.whens), record)
    later = [each for each in within(points, spans, record) if each.at > at]
    wrong = [each for each in later if not series.saying(last.value, [each])]
    if wrong or not later:
        used = wrong or points
        return [contradicted("value", f"the record has {told(used[-1])} on {used[-1].day}", used[-1].facts)]
    return [*found, supported("value", later[-1].facts)]
