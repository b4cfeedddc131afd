"""Courses: rose, fell, stayed, by how much, from what to what, over the span that is named."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from terminology.loinc import WEIGHT

from grounding import keys
from grounding.comparing import carried, levels, meaning, results, series
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.readings import is_when
from grounding.comparing.record import Point, Record
from grounding.comparing.series import NO_RESULT, NO_TIME, in_unit, points_of, told, within
from grounding.reading.grammar import PRIOR
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

# Within this share of the first value a course is called steady; from the second one on a change is a marked one.
STEADY, MARKED = Decimal("0.05"), Decimal("0.15")
_LASTING = frozenset(("between", "days-between", "since", "span"))
# How far a change may lie from the simple fraction that it is told as.
_PART = Decimal("0.04")
_TWO = 2
_FEW = "the record has no course of it"


def course(node: Node, record: Record) -> list[Outcome]:
    """A direction, from and to; with the values that are listed behind it."""
    if node.all("loose"):
        raise UnclearError("which end of the course the value is")
    outcomes: list[Outcome] = []
    for place, obs in enumerate(node.all("obs")):
        outcomes += _course(node, obs, place, record)
    inside = results.measured(node, record) if list(node.within("result")) else []
    beside = [*_on_the_way(node, record), *_comments(node, record), *_flags(node, record)]
    return [*outcomes, *inside, *_middle(node, record), *beside]


def _middle(node: Node, record: Record) -> list[Outcome]:
    """The values between the ends, each with its day."""
    stated = list(zip(node.all("value"), node.all("when"), strict=True)) if node.all("value") else []
    points = points_of(node.all("obs")[0], record) if stated else ()
    return [each for value, when in stated for each in _end([value], [when], points, points, record)[1]]


def _on_the_way(node: Node, record: Record) -> list[Outcome]:
    """The values through which a course went, one after another, between its ends."""
    if not node.all("middle"):
        return []
    points = points_of(node.all("obs")[0], record)
    ends = ((node.all(role), node.all(f"{role}at")) for role in ("from", "to"))
    first, last = ((*value, *at) for value, at in ends)
    stated = filter(None, (first, *(each.parts for each in node.all("middle")), last))
    at = float("-inf")
    for value, *whens in stated:
        pool = within(points, series.spans_of(whens, record), record)
        later = [each for each in series.saying(value, pool) if each.at > at]
        if not later:
            return [unsupported("direction", "the record has other values, or them in another order")]
        at = later[0].at
    return [supported("direction", points[-1].facts)]


def _flags(node: Node, record: Record) -> list[Outcome]:
    """What a flag says of the value before it."""
    found: list[Outcome] = []
    value = None
    for part in node.parts:
        value = part if part.kinds & {"value", "bound"} else value
        if "flag" in part.kinds and value:
            found += results.flagged(part, series.saying(value, points_of(node.all("obs")[0], record)), record)
    return found


def _comments(node: Node, record: Record) -> list[Outcome]:
    """Each comment came with the value before it."""
    found: list[Outcome] = []
    value, when = None, None
    for part in node.parts:
        value = part if "value" in part.kinds else value
        when = part if "when" in part.kinds else when
        if "comment" in part.kinds and value and when:
            points = points_of(node.all("obs")[0], record)
            chosen, _ = _end([value], [when], points, points, record)
            found += results.comments(part, [fact for point in chosen for fact in point.facts])
    return found


def _course(node: Node, obs: Node, place: int, record: Record) -> list[Outcome]:
    points = points_of(obs, record)
    if len({point.at for point in points}) < 2:
        return [unsupported("direction", _FEW)]
    if node.one(PRIOR):
        return _going_on(node, points, record)
    if "again" in {part.text for part in node.parts}:
        raise UnclearError("when it did so before")
    spans = _spans(node, record)
    chosen = _chosen(points, spans, record)
    begin, end = node.all("from"), node.all("to") if place == 0 else node.all("second")
    if node.says("direction") == "steady":
        is_present = not spans and bool(end) and bool({part.text for part in node.parts} & {"is", "are", "remains"})
        return _steady(chosen[-2:] if is_present else chosen, end)
    is_bound = any(span.relation != "span" for span in spans)
    if not begin and not _days(node, "toat") and spans and all(span.relation == "on" for span in spans):
        chosen = _with_the_one_before(points, chosen)
    first, said_first = _end(begin, _days(node, "fromat"), points, chosen[:1] if is_bound else points, record)
    is_open = bool(_days(node, "toat") or (spans and not is_bound and begin))
    last, said_last = _end(end, _days(node, "toat"), points, points if is_open else chosen[-1:], record)
    first = _so_long_before(spans, first, last) if is_open and begin else first
    said = [*said_first, *said_last]
    if not all(each.holds for each in said):
        return said
    if not first or not last:
        return [*said, unsupported("direction", NO_RESULT)]
    start = first[0] if begin else _start(chosen, spans)
    return [*said, *_between(node, spans, start, last[-1], chosen)]


def _with_the_one_before(points: Sequence[Point], chosen: list[Point]) -> list[Point]:
    """`In May 2020 it rose to 180`: the only value of that time, after the one before it."""
    earlier = [each for each in points if chosen and each.at < chosen[0].at]
    return [earlier[-1], *chosen] if earlier and len({each.at for each in chosen}) == 1 else chosen


def _so_long_before(spans: Sequence[Span], first: list[Point], last: Sequence[Point]) -> list[Point]:
    """Of several values that may be meant, the one from which the course took the time that is told."""
    lengths = [span.length for span in spans if span.relation == "span"]
    if not lengths or not last:
        return first
    return sorted(first, key=lambda each: abs((last[-1].day - each.day).days - lengths[0]))


def _going_on(node: Node, points: Sequence[Point], record: Record) -> list[Outcome]:
    """A course that goes on from where the clause before ended."""
    if node.says("upto") and not node.all("to")[0].text.startswith("up to"):
        raise UnclearError("whether it is a bound")
    before = carried.ending(node.all(PRIOR)[0], node.all("obs")[0], record)[0]
    spans = _spans(node, record)
    after = [each for each in points if each.at > before.at]
    chosen = within(after, [span for span in spans if span.relation != "span"], record)
    if node.says("direction") == "steady":
        return _steady([before, *chosen], node.all("to"))
    first, said_first = _end(node.all("from"), node.all("fromat"), points, [before], record)
    last, said_last = _end(node.all("to"), node.all("toat"), after, chosen, record)
    said = [*said_first, *said_last]
    if not all(each.holds for each in said) or not first or not last:
        return said or [unsupported("direction", NO_TIME)]
    end = last[0] if node.all("to") else last[-1]
    manners = [each.says("manner") for each in node.all("manner")]
    inside = [each for each in points if first[0].at <= each.at <= end.at]
    found = [*_length(spans, first[0], end), direction(node.says("direction"), first[0], end)]
    return [*said, *found, *(_manner(each, inside, first[0], end) for each in manners)]


def _days(node: Node, role: str) -> tuple[Node, ...]:
    """The times of one end: a span behind the last value is that of the whole course."""
    return tuple(each for each in node.all(role) if each.says("time") not in _LASTING)


def _spans(node: Node, record: Record) -> list[Span]:
    """The times of the whole course: not those of its ends."""
    passed = (part for each in node.all("middle") for part in each.parts)
    ends = {each.start for each in (*_days(node, "fromat"), *_days(node, "toat"), *passed)}
    whens = (part for part in node.parts if is_when(part) and part.start not in ends and not node.all("value"))
    if node.one(PRIOR):
        # A course that goes on does so since then.
        whens = (each for each in whens if each.says("time") != "since-then")
    return [span for span in series.spans_of(whens, record) if span.relation != "now"]


def course_series(node: Node, record: Record) -> list[Outcome]:
    """A direction with all its values: each follows the one before in time and goes the way that is said."""
    said = results.compared_readings(replace(node, kinds=frozenset({"result"})), record)
    outcomes = [outcome for _, _, each in said for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    values = [points[-1] for _, points, _ in said if points]
    steps = [direction(node.says("direction"), before, after) for before, after in pairwise(values)]
    return [*outcomes, *steps]


def _start(chosen: Sequence[Point], spans: Sequence[Span]) -> Point:
    """Of a length of time: the point that lies nearest to its beginning."""
    length = next((span.length for span in spans if span.relation == "span"), 0.0)
    return min(chosen, key=lambda each: abs((chosen[-1].day - each.day).days - length)) if length else chosen[0]


def _between(node: Node, spans: Sequence[Span], start: Point, last: Point, chosen: Sequence[Point]) -> list[Outcome]:
    if start.at >= last.at:
        if node.all("from"):
            return [contradicted("direction", "the record has them in another order")]
        return [unsupported("direction", "the record has no course of it in that time")]
    inside = [each for each in chosen if start.at <= each.at <= last.at]
    wanted = node.says("direction")
    found = [*_length(spans, start, last), *_at_times(spans, start, last), direction(wanted, start, last)]
    if all(each.holds for each in found) and not node.all("from") and not spans:
        found.append(_still(wanted, inside))
    manners = [each.says("manner") for each in node.all("manner")]
    return [*found, *(_manner(each, inside, start, last) for each in manners)]


def _at_times(spans: Sequence[Span], start: Point, last: Point) -> list[Outcome]:
    """That a course whose ends tell their own times belongs to the time of the whole too (in 2019 it fell from ...)."""
    dated = [span for span in spans if span.readings and not span.ends]
    if all(any(series.covers(span, each) for each in (start, last)) for span in dated):
        return []
    return [contradicted("date", f"the record has it from {start.day} to {last.day}", last.facts)]


def _still(wanted: str, points: Sequence[Point]) -> Outcome:
    """Of a course without a time: that the last step does not go the other way."""
    step = _sign(points[-2], points[-1])
    if step and step != _sign(points[0], points[-1]) and wanted != "change":
        return unsupported("direction", f"the record goes from {told(points[-2])} to {told(points[-1])} at last")
    return supported("direction", points[-1].facts)


def _sign(first: Point, last: Point) -> int:
    return (last.value > first.value) - (last.value < first.value)


def _manner(manner: str, inside: Sequence[Point], start: Point, last: Point) -> Outcome:
    """Steadily: no step goes back. Slightly and markedly: by the share of the change."""
    used = (*start.facts, *last.facts)
    if manner == "steadily":
        wanted = _sign(start, last)
        back = [after for before, after in pairwise(inside) if _sign(before, after) == -wanted]
        if back:
            reason = f"the record has {told(back[-1])} on {back[-1].day} between"
            return contradicted("manner", reason, back[-1].facts)
        return supported("manner", used)
    share = abs(last.value - start.value) / abs(start.value) if start.value else Decimal(1)
    holds = share <= MARKED if manner == "slightly" else share >= MARKED
    reason = f"the record goes from {told(start)} to {told(last)}"
    return supported("manner", used) if holds else contradicted("manner", reason, used)


def _chosen(points: Sequence[Point], spans: Sequence[Span], record: Record) -> list[Point]:
    """Of a length of time without a beginning: all, since the course may have begun a little before."""
    return within(points, [span for span in spans if span.relation != "span"], record)


def _end(
    value: Sequence[Node], at: Sequence[Node], points: Sequence[Point], usual: Sequence[Point], record: Record
) -> tuple[list[Point], list[Outcome]]:
    """The points of one end of a course, and what there is to say of it."""
    if value and any("days" in each.kinds for each in at):
        said = results.on_each_day(value[0], at[0], points, record)
        return series.saying(value[0], points)[-1:], said
    pool = within(points, series.spans_of(at, record), record) if at else list(usual)
    if not pool:
        return [], [unsupported("date", NO_TIME)]
    if not value:
        return pool, []
    agreeing = series.saying(value[0], pool)
    if not agreeing:
        return [], [series.disagreement(meaning.amount(value[0]), pool)]
    return agreeing, [supported("value", agreeing[0].facts)]


def _steady(chosen: Sequence[Point], end: Sequence[Node]) -> list[Outcome]:
    if len(chosen) < 2:
        return [unsupported("direction", _FEW)]
    told_at = [_stays_at(end[0], chosen)] if end else []
    middle = meaning.amount(end[0]).value if end and not told_at[0].holds else chosen[0].value
    moving = [each for each in chosen if abs(each.value - middle) > abs(middle) * STEADY]
    if moving and not (told_at and told_at[0].holds):
        reason = f"the record has {told(chosen[0])} on {chosen[0].day} and {told(moving[-1])} on {moving[-1].day}"
        told_at.append(contradicted("direction", reason, (*chosen[0].facts, *moving[-1].facts)))
    return told_at or [supported("direction", (*chosen[0].facts, *chosen[-1].facts))]


def _stays_at(value: Node, chosen: Sequence[Point]) -> Outcome:
    said = meaning.amount(value)
    step = Decimal(1).scaleb(-said.decimals) if said.decimals else Decimal(0)
    for point in chosen:
        actual = in_unit(point, said.unit)
        if actual is None or abs(actual - said.value) > max(abs(actual) * STEADY, step):
            return contradicted("value", f"the record has {told(point)} on {point.day}", point.facts)
    if not series.saying(value, chosen) and not _is_rough(value):
        return contradicted("value", f"the record has {told(chosen[-1])} on {chosen[-1].day}", chosen[-1].facts)
    return supported("value", chosen[-1].facts)


def _is_rough(value: Node) -> bool:
    """A whole number tells a level of a measured value: `unchanged at 140`."""
    return meaning.is_about(value) or not meaning.amount(value).decimals


def _length(spans: Sequence[Span], start: Point, last: Point) -> list[Outcome]:
    """Whether a course took as long as is said, and began and ended when it is said to."""
    used = (*start.facts, *last.facts)
    actual = (last.day - start.day).days
    reason = f"the record has it from {start.day} to {last.day}"
    if any(span.ends and not span.is_from_to(start.day, last.day) for span in spans):
        return [unsupported("interval", reason)]
    return [
        supported("interval", used)
        if abs(actual - span.length) <= max(span.length * 0.15, 3)
        else contradicted("interval", reason, used)
        for span in spans
        if span.relation == "span"
    ]


def direction(wanted: str, start: Point, last: Point) -> Outcome:
    used = (*start.facts, *last.facts)
    if wanted in ("better", "worse"):
        worse = series.worse_direction([start, last])
        if not worse:
            return unsupported("direction", "which direction is the better one is not known")
        wanted = "rise" if (worse > 0) == (wanted == "worse") else "fall"
    reason = f"the record goes from {told(start)} on {start.day} to {told(last)} on {last.day}"
    if wanted == "same":
        small = abs(last.value - start.value) <= abs(start.value) * STEADY
        return supported("direction", used) if small else contradicted("direction", reason, used)
    step = _sign(start, last)
    if wanted == "change" or step == {"rise": 1, "fall": -1}[wanted]:
        return supported("direction", used)
    return contradicted("direction", reason, used)


def from_value(node: Node, record: Record) -> list[Outcome]:
    """A value with the one before it, or that of a day: `1.92, up from 1.75`."""
    compared = results.compared_readings(node, record)
    outcomes = [outcome for _, _, each in compared for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    reading, agreeing, _ = compared[-1]
    earlier = [each for each in points_of(reading.subject, record) if each.at < agreeing[-1].at]
    spans = series.spans_of(node.all("fromat"), record)
    usual = within(earlier, spans, record) if spans else series.extremes(earlier, "last")
    first, said = _end(node.all("from"), (), earlier, usual, record)
    return [*outcomes, *said, *(direction(node.says("direction"), each, agreeing[-1]) for each in first[:1])]


def amounted(node: Node, record: Record) -> list[Outcome]:
    """The amount of the course that the clause before tells: `from 24.1 to 28.1, an increase of 4`."""
    first, last, said = _both_ends(node.all(PRIOR)[0], node.all("obs")[0], record)
    spans = series.spans_of(node.all("when"), record)
    if any(span.relation not in ("span", "now") for span in spans):
        raise UnclearError("which time is meant")
    return [*said, *_length(spans, first, last), *changed(node, first, last)]


def _both_ends(clause: Node, subject: Node, record: Record) -> tuple[Point, Point, list[Outcome]]:
    """The first and the last value of the clauses about one result; UnclearError where they tell but one."""
    points, prior = points_of(subject, record), clause.one(PRIOR)
    if clause.all("from"):
        first, said = _end(clause.all("from"), _days(clause, "fromat") or clause.all("when"), points, points, record)
        end = prior if prior and not clause.all("to") else clause
        if first:
            return first[0], carried.ending(end, subject, record)[-1], said
    if prior and not clause.all("from"):
        return carried.ending(prior, subject, record)[0], carried.ending(clause, subject, record)[-1], []
    compared = (
        [each for _, each, _ in results.compared_readings(clause, record) if each] if _has_several(clause) else []
    )
    if len(compared) < _TWO:
        raise UnclearError("what it changed from")
    return compared[0][0], compared[-1][-1], []


def _has_several(clause: Node) -> bool:
    return len(list(clause.within("value"))) >= _TWO and any(clause.within("result"))


def changed(node: Node, first: Point, last: Point) -> list[Outcome]:
    used = (*first.facts, *last.facts)
    reason = f"the record goes from {told(first)} on {first.day} to {told(last)} on {last.day}"
    found = direction(node.says("direction"), first, last)
    right = _by(node)(node, first, last)
    return [found, supported("value", used) if right else contradicted("value", reason, used)]


def from_change(node: Node, record: Record) -> list[Outcome]:
    """A value and by how much it differs from an earlier one: `14.9, up 2.5 from November 2017`."""
    whens = node.all("when")
    compared = results.compared_readings(replace(node, parts=tuple(p for p in node.parts if p not in whens)), record)
    outcomes = [outcome for _, _, each in compared for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    reading, agreeing, _ = compared[-1]
    spans = [replace(each, relation="on") for each in series.spans_of(whens, record)]
    earlier = [each for each in within(points_of(reading.subject, record), spans, record) if each.at < agreeing[-1].at]
    if not earlier or not all(span.readings for span in spans):
        return [unsupported("date", NO_TIME)]
    return [*outcomes, *changed(node, earlier[-1], agreeing[-1])]


def previous(node: Node, record: Record) -> list[Outcome]:
    """The value directly before the one of the clause before."""
    subject = node.all("obs")[0]
    after = carried.ending(node.all(PRIOR)[0], subject, record)[-1]
    earlier = series.extremes([each for each in points_of(subject, record) if each.at < after.at], "last")
    found, said = _end(node.all("value"), (), points_of(subject, record), earlier, record)
    dated = within(found, series.spans_of(node.all("when"), record), record)
    if found and not dated:
        return [contradicted("date", f"the record has it on {found[-1].day}", found[-1].facts)]
    return said


def pressures(node: Node, record: Record) -> list[Outcome]:
    """A blood pressure from and to: neither of the two goes the other way."""
    # What has been so since a day was so at some time from then on.
    since = {
        when: replace(when, kinds=frozenset({"when"}), value=Span("on", ((span.readings[0][0], record.today),)))
        for when in node.all("when")
        for span in meaning.spans(when, record)
        if span.relation == "since"
    }
    own = tuple(since.get(part, part) for part in node.parts)
    said = results.compared_readings(replace(node, kinds=frozenset({"result"}), parts=own), record)
    outcomes = [outcome for _, _, each in said for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    (first, before, _), (last, after, _) = said[0], said[1]
    if min(each.at for each in before) >= max(each.at for each in after):
        return [contradicted("direction", "the record has them in another order")]
    pairs = [
        value.value.all("pair")[0].value if value.value.all("pair") else value.value.value for value in (first, last)
    ]
    steps = [pairs[1].first - pairs[0].first, pairs[1].second - pairs[0].second]
    sign = {"rise": 1, "fall": -1}.get(node.says("direction"), 0)
    if sign and (any(step * sign < 0 for step in steps) or not any(steps)):
        return [*outcomes, contradicted("direction", "the two values go another way")]
    return [*outcomes, supported("direction")]


def arrow(node: Node, record: Record) -> list[Outcome]:
    """`eGFR ↓ 28`: the newest value, which is low or lower than the one before."""
    points = points_of(node.all("obs")[0], record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    value, last = node.all("value")[0], series.newest(points)
    agreeing = series.saying(value, last)
    if not agreeing:
        return [series.disagreement(meaning.amount(value), last)]
    earlier = [each for each in points if each.at < agreeing[-1].at]
    flag = node.all("flag")[0]
    wanted = {"high": 1, "low": -1}[flag.says("level")]
    moved = flag.text in ("↑", "↓") and bool(earlier) and _sign(earlier[-1], agreeing[-1]) == wanted
    judged = supported("direction") if moved else levels.level(flag.says("level"), agreeing[-1])
    return [supported("value", agreeing[-1].facts), judged]


def changed_by(node: Node, record: Record) -> list[Outcome]:
    """By an amount, a share or a factor."""
    if node.all("loose"):
        raise UnclearError("which end of the course the value is")
    return _changed_by(node, points_of(node.all("obs")[0], record), record)


def weight_change(node: Node, record: Record) -> list[Outcome]:
    """Weight lost or gained."""
    return _changed_by(node, record.points(frozenset({keys.of_loinc(WEIGHT)})), record)


def _changed_by(node: Node, points: Sequence[Point], record: Record) -> list[Outcome]:
    spans = _spans(node, record)
    chosen = _chosen(points, spans, record) if points else []
    if len({point.at for point in chosen}) < 2:
        return [unsupported("direction", "the record has no course of it in that time")]
    begin, said_begin = _end(node.all("from"), _days(node, "fromat"), points, chosen, record)
    end, said_end = _end(node.all("to"), _days(node, "toat"), points, chosen, record)
    if not all(each.holds for each in (*said_begin, *said_end)):
        return [*said_begin, *said_end]
    first = begin[0] if node.all("from") else _start(chosen, spans)
    last = end[-1] if node.all("to") else chosen[-1]
    found = [*said_begin, *said_end, *_length(spans, first, last), direction(node.says("direction"), first, last)]
    if not all(each.holds for each in found):
        return found
    used = (*first.facts, *last.facts)
    reason = f"the record goes from {told(first)} on {first.day} to {told(last)} on {last.day}"
    right = _by(node)(node, first, last)
    return [*found, supported("value", used) if right else contradicted("value", reason, used)]


def _by(node: Node) -> Callable[[Node, Point, Point], bool]:
    return _by_part if node.one("part") else _by_factor if node.says("factor") else _by_amount


def _by_part(node: Node, first: Point, last: Point) -> bool:
    """`By a third`, as exactly as people say it."""
    part = node.all("part")[0]
    numerator = meaning.amount(part).value if part.one("number") else Decimal(part.says("numerator"))
    if numerator != Decimal(part.says("numerator")) or not first.value:
        return False
    share = abs(last.value - first.value) / abs(first.value)
    return abs(share - numerator / Decimal(part.says("denominator"))) <= _PART


def _by_factor(node: Node, first: Point, last: Point) -> bool:
    if not first.value:
        return False
    factor, actual = Decimal(node.says("factor")), last.value / first.value
    if node.says("over"):
        return actual > factor if factor > 1 else actual < factor
    if node.says("near"):
        return factor * Decimal("0.85") <= actual <= factor
    return abs(actual - factor) <= factor * Decimal("0.1")


def _by_amount(node: Node, first: Point, last: Point) -> bool:
    value = node.all("by")[0]
    said, about = meaning.amount(value), meaning.is_about(value)
    if said.unit == "%" and first.unit != "%":
        return bool(first.value) and _is_share(said, abs(last.value - first.value) / abs(first.value) * 100)
    before, after = in_unit(first, said.unit), in_unit(last, said.unit)
    if before is None or after is None:
        return False
    change = abs(after - before)
    tolerance = Decimal("0.1") if about else Decimal(0)
    return said.value == change or abs(change - said.value) <= change * tolerance or _rounded(said, change)


def _is_share(amount: Amount, share: Decimal) -> bool:
    return abs(share - amount.value) <= 1


def _rounded(amount: Amount, actual: Decimal) -> bool:
    return round(actual, amount.decimals) == amount.value and amount.value != 0
