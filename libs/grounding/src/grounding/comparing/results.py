"""Values of results: of a day, the newest, first, highest and lowest, ranges, bounds, counts and comparisons."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import DIASTOLIC, HEIGHT, SYSTOLIC, WEIGHT

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import levels, meaning, series
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.readings import ARROWS, Reading, is_when, readings
from grounding.comparing.record import Point, Record
from grounding.comparing.series import NO_RESULT, NO_TIME, disagreement, points_of, says, told, within
from grounding.reading.grammar import PRIOR
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount, Pair

_TIMED = ("since", "span", "between", "until", "before", "after")

# Words by which a bound holds of every value.
_LASTINGLY = frozenset({"remained", "remains", "always", "consistently", "stayed"})
_LATEST = frozenset({"latest", "newest", "last", "recent"})

# A value, the points that it says, and what follows.
Compared = tuple[Reading, list[Point], list[Outcome]]


# --- values


def measured(node: Node, record: Record) -> list[Outcome]:
    """Each value against the results of its day, or the newest where the present is meant."""
    if node.one("days"):
        return _of_days(node, record)
    if any(each.joined in ARROWS and _is_length(each.behind) for each in readings(node)):
        raise UnclearError("how long the course took")
    compared = compared_readings(node, record)
    newest = [_is_newest(each, record) for each in compared if each[1]] if _is_of_latest(node) else []
    return [*(outcome for _, _, outcomes in compared for outcome in outcomes), *newest]


def _is_length(whens: Sequence[Node]) -> bool:
    """`7.0 → 7.4 % over three years`: how long it took, and not when it was."""
    return any(when.says("time") == "span" for when in whens)


def _of_days(node: Node, record: Record) -> list[Outcome]:
    """Several values of one result on as many days, each on its own (`0.8, 0.3 and 0.5 in 2018, 2019 and 2020`); one
    value on each of them.
    """
    days, told_ = node.all("days")[0], readings(node)
    subjects = {each.subject for each in told_} or set(node.all("obs"))
    values = [each.value for each in told_] or list(node.all("value"))
    if len(values) == 1 or len(subjects) > 1:
        return [each for reading in told_ for each in _on_each_day(reading, days, record)]
    whens = list(days.within("when"))
    if len(values) != len(whens) or any(each.whens for each in told_):
        raise UnclearError("which day each value is of")
    points = points_of(subjects.pop(), record)
    return [
        one
        for value, when in zip(values, whens, strict=True)
        for one in on_each_day(value, replace(days, parts=(when,)), points, record)
    ]


def pressures_beyond(node: Node, record: Record) -> list[Outcome]:
    """Every blood pressure above, or below, a pair of bounds, and how many there are."""
    courses = [record.whole.points(frozenset({keys_of.of_loinc(code)})) for code in (SYSTOLIC, DIASTOLIC)]
    tallied = node.all("tally")
    words = {word for part in node.parts if not part.kinds or part in tallied for word in part.text.lower().split()}
    if not all(courses) or "none" in words or not words & _EVERY:
        raise UnclearError("which values are meant")
    limit, moments = node.all("limit")[0], {point.at for point in courses[0]}
    wanted = [meaning.tally(each) for each in (*node.all("n"), *(one for told_ in tallied for one in told_.all("n")))]
    if any(number != len(moments) for number in wanted):
        return [contradicted("count", f"the record has {len(moments)}", courses[0][-1].facts)]
    pair, step = limit.all("pair")[0].value, 1 if limit.says("compare") == "above" else -1
    bounds = zip(courses, (pair.first, pair.second), strict=True)
    failing = [point for points, bound in bounds for point in points if (point.value - bound) * step <= 0]
    if failing:
        return [contradicted("value", f"the record has {told(failing[-1])} on {failing[-1].day}", failing[-1].facts)]
    return [supported("value", courses[0][-1].facts)]


# How it is told that no value is left out.
_EVERY = frozenset(("all", "every", "each", "always", "consistently"))


def _is_of_latest(node: Node) -> bool:
    """`Latest labs`, `the most recent BMP`: whatever day is told, no newer value is there."""
    return any((not part.kinds and part.text in _LATEST) or _order(part) == "last" for part in node.parts)


def _order(part: Node) -> str:
    return series.order_of(part) if part.kinds & {"obs", "rank"} else ""


def _is_newest(compared: Compared, record: Record) -> Outcome:
    reading, agreeing, _ = compared
    newest = series.newest(points_of(reading.subject, record.whole)) if "bp" not in reading.subject.kinds else agreeing
    if {each.at for each in newest} & {each.at for each in agreeing}:
        return supported("recency", agreeing[-1].facts)
    return contradicted("recency", f"the record has {told(newest[-1])} on {newest[-1].day}", newest[-1].facts)


def _on_each_day(reading: Reading, days: Node, record: Record) -> list[Outcome]:
    if reading.whens or "bp" in reading.subject.kinds:
        raise UnclearError("which day is meant")
    return on_each_day(reading.value, days, points_of(reading.subject, record), record)


def on_each_day(value: Node, days: Node, points: Sequence[Point], record: Record) -> list[Outcome]:
    """One value on several days: `1 in 2019 and 2021`."""
    found = []
    for when in days.within("when"):
        chosen = within(points, series.spans_of([when], record), record)
        said = meaning.amount(value)
        agreeing = series.saying(value, chosen)
        wrong = disagreement(said, chosen) if chosen else series.other_day(points, said)
        found.append(supported("value", agreeing[-1].facts) if agreeing else wrong)
    return found


def flagged(flag: Node, points: Sequence[Point], record: Record) -> list[Outcome]:
    """What a flag behind a value says of it."""
    judged = [levels.worst_level(flag.says("level"), points)] if flag.says("level") else []
    return [*judged, *([levels.risk(flag.says("risk"), points, record)] if flag.says("risk") else [])]


def compared_readings(node: Node, record: Record, *, ranked: bool = False) -> list[Compared]:
    """Each value, the points that agree, and what follows. `ranked`: its rank tells which one it is."""
    found = readings(node) or [_bare(node)]
    if ranked:
        found = [replace(each, is_past=not each.is_present) for each in found]
    before, behind = _outer(node)
    compared = [(each, *_reading(_timed(each, before, behind), record)) for each in found]
    order = _in_order(compared)
    return [*compared, (found[-1], [], order)] if order else compared


def _bare(node: Node) -> Reading:
    """A clause that names result and value itself."""
    if not node.all("obs") or not node.all("value"):
        raise UnclearError("which value is meant")
    flags = tuple(part for part in node.parts if "flag" in part.kinds)
    return Reading(node.all("obs")[0], node.all("value")[0], flags)


def _outer(node: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The times of a clause before and behind its values."""
    places = [place for place, part in enumerate(node.parts) if part.kinds & {"results", "result", "value"}]
    first = places[0] if places else 0
    ends = (*node.all("fromat"), *node.all("toat"))
    whens = [(place, part) for place, part in enumerate(node.parts) if is_when(part) and part not in ends]
    return tuple(part for place, part in whens if place < first), tuple(part for place, part in whens if place >= first)


def _timed(reading: Reading, before: tuple[Node, ...], behind: tuple[Node, ...]) -> Reading:
    own = reading.whens
    return reading if own else replace(reading, before=before, behind=behind)


def _in_order(compared: Sequence[Compared]) -> list[Outcome]:
    """Values joined by arrows follow one another in time, and the last is the newest unless a time is named."""
    if not any(reading.joined in ARROWS for reading, _, _ in compared):
        return []
    moments = [sorted({point.at for point in points}) for _, points, _ in compared]
    at = float("-inf")
    for possible in moments:
        later = [each for each in possible if each > at]
        if not later:
            return [contradicted("direction", "the record has them in another order")]
        at = later[0]
    return [supported("direction")]


def _reading(reading: Reading, record: Record) -> tuple[list[Point], list[Outcome]]:
    if "bp" in reading.subject.kinds:
        return _pressure(reading, record)
    points = points_of(reading.subject, record)
    if not points:
        return [], [unsupported("value", NO_RESULT)]
    if reading.value.start < reading.subject.start and not meaning.amount(reading.value).unit:
        raise UnclearError("whether the number is a value or a count")
    agreeing, wrong = _agreeing(reading, points, record)
    if not agreeing:
        agreeing = _computed(reading, record)
    if not agreeing:
        return [], [wrong]
    flags = [outcome for each in reading.flags for outcome in flagged(each, agreeing, record)]
    return agreeing, [supported("value", agreeing[-1].facts), *flags]


def _agreeing(reading: Reading, points: Sequence[Point], record: Record) -> tuple[list[Point], Outcome]:
    """The points that a reading says, and what is to be told if there are none."""
    said = meaning.amount(reading.value)
    chosen = _chosen(reading, points, record)
    if not chosen and not series.inner(reading.subject, "time"):
        return [], series.other_day(points, said)
    agreeing = series.saying(reading.value, chosen)
    if not agreeing and series.inner(reading.subject, "time") == "admission" and len(record.stays) > 1:
        raise UnclearError("which admission is meant")
    overtaken = _overtaken(reading, agreeing, record)
    if overtaken:
        return [], overtaken
    return agreeing, disagreement(said, chosen) if chosen else series.other_day(points, said)


def _overtaken(reading: Reading, agreeing: Sequence[Point], record: Record) -> Outcome | None:
    """Whether another value of the whole record is the newest, first, highest or lowest, where one of them is meant."""
    if record.everything is None or not agreeing:
        return None
    chosen = _chosen(reading, points_of(reading.subject, record.everything), record.everything)
    if any((each.at, each.value) == (point.at, point.value) for each in chosen for point in agreeing):
        return None
    other = chosen[-1] if chosen else agreeing[-1]
    return contradicted("recency", f"the record has {told(other)} on {other.day}", other.facts)


def comments(comment: Node, beside: Sequence[ClinicalFact]) -> list[Outcome]:
    """Each quotation of a comment: one of these results has it."""
    return [_comment(str(quote.value), beside) for quote in comment.all("quote")]


def _comment(text: str, beside: Sequence[ClinicalFact]) -> Outcome:
    wanted = _unspaced(text)
    own = [fact for fact in beside if any(wanted in _unspaced(each) for each in facts.comments(fact))]
    return supported("quote", own) if wanted and own else contradicted("quote", "this comment did not come with it")


def _unspaced(text: str) -> str:
    """A sentence has no space before its marks, whatever the comment had."""
    return "".join(text.split())


def _computed(reading: Reading, record: Record) -> list[Point]:
    """A computed value of a day that has no recorded one."""
    computed = series.computed_of(reading.subject, record)
    return series.saying(reading.value, _chosen(reading, computed, record)) if computed and _is_dated(reading) else []


def _is_dated(reading: Reading) -> bool:
    return bool(reading.whens) and not series.order_of(reading.subject)


def _chosen(reading: Reading, points: Sequence[Point], record: Record) -> list[Point]:
    """The points that a reading may mean."""
    before, behind = (series.spans_of(whens, record) for whens in (reading.before, reading.behind))
    before = [*before, *_admission(reading.subject, record)]
    order = series.order_of(reading.subject)
    if order:
        return ordered(points, order, before, behind, record)
    spans = [*before, *behind]
    if any(span.relation in ("since", "span") for span in spans):
        return _throughout(reading, within(points, spans, record))
    if spans:
        return within(points, spans, record)
    return list(points) if reading.is_past else series.newest(points)


def ordered(
    points: Sequence[Point], order: str, before: Sequence[Span], behind: Sequence[Span], record: Record
) -> list[Point]:
    """A superlative: of the times before it and of lasting ones; a day behind says when it was."""
    lasting = [*before, *(span for span in behind if span.relation in _TIMED)]
    extreme = series.extremes(within(points, lasting, record), order)
    return within(extreme, [span for span in behind if span.relation not in (*_TIMED, "now")], record)


def _throughout(reading: Reading, inside: list[Point]) -> list[Point]:
    """Of a value since a day: only if each is that value."""
    return inside if len(series.saying(reading.value, inside)) == len(inside) else []


def _admission(subject: Node, record: Record) -> list[Span]:
    if series.inner(subject, "time") != "admission":
        return []
    if series.inner(subject, "event") not in ("", "admission") or not record.stays:
        raise UnclearError("which admission is meant")
    day = record.stays[-1].valid_from.ToDatetime().date()
    return [Span("on", ((day, day),))]


def _pressure(reading: Reading, record: Record) -> tuple[list[Point], list[Outcome]]:
    """Systolic and diastolic pressure of one moment."""
    pair = reading.value.all("pair")[0].value if reading.value.all("pair") else reading.value.value
    assert isinstance(pair, Pair), "a blood pressure is a pair of numbers"
    courses = [record.points(frozenset({keys_of.of_loinc(code)})) for code in (SYSTOLIC, DIASTOLIC)]
    if not all(courses):
        return [], [unsupported("value", NO_RESULT)]
    together: list[Point] = []
    outcomes: list[Outcome] = []
    for points, value in zip(courses, (pair.first, pair.second), strict=True):
        chosen = _of_pressure(reading, points, courses[0], record)
        agreeing = [each for each in chosen if says(Amount(value), each)]
        wrong = disagreement(Amount(value), chosen) if chosen else series.other_day(points, Amount(value))
        outcomes.append(supported("value", agreeing[-1].facts) if agreeing else wrong)
        moments = {point.at for point in together}
        together = [each for each in agreeing if each.at in moments] if outcomes[1:] else agreeing
    if not together and all(each.holds for each in outcomes):
        outcomes.append(contradicted("value", "the record has the two at different times"))
    return together, outcomes


def _of_pressure(reading: Reading, points: Sequence[Point], systolic: Sequence[Point], record: Record) -> list[Point]:
    """The points that a reading may mean; the highest pressure is that of the highest systolic one."""
    if series.order_of(reading.subject) not in ("highest", "lowest"):
        return _chosen(reading, points, record)
    moments = {each.at for each in _chosen(reading, systolic, record)}
    return [each for each in points if each.at in moments]


def judged_value(node: Node, record: Record) -> list[Outcome]:
    """Values that are told, and of each that it is high, low or normal."""
    found: list[Outcome] = []
    for _, points, outcomes in compared_readings(node, record):
        judged = [levels.worst_level(node.says("level"), points), *levels.extents(node, points)] if points else []
        found += [*outcomes, *judged]
    return found


def converted(node: Node, record: Record) -> list[Outcome]:
    """A value in two units: both say the same result."""
    compared = compared_readings(node, record)
    outcomes = [outcome for _, _, each in compared for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    other, points = node.all("value")[0], compared[-1][1]
    if meaning.amount(other).unit in ("", meaning.amount(compared[-1][0].value).unit):
        return [*outcomes, *_of_other_time(node, other, compared[-1][0], record)]
    return [*outcomes, of_those(other, points)]


def _of_other_time(node: Node, value: Node, reading: Reading, record: Record) -> list[Outcome]:
    """`394 in July 2023 (197 in November 2017)`."""
    spans = series.spans_of(node.all("when"), record)
    if not spans or not reading.whens:
        return [unsupported("unit", "the other unit is not told")]
    points = within(points_of(reading.subject, record), spans, record)
    agreeing = series.saying(value, points)
    if agreeing:
        return [supported("value", agreeing[-1].facts)]
    said = meaning.amount(value)
    return [disagreement(said, points) if points else series.other_day(points_of(reading.subject, record), said)]


def paneled(node: Node, record: Record) -> list[Outcome]:
    """`CMP: Na 139`: a panel introduces its values."""
    if "panel" not in node.all("obs")[0].kinds and not any(node.all("obs")[0].within("panel")):
        return [unsupported("value", "which values are meant is not clear")]
    if node.all("obs")[0].says("order") == "first":
        return [unsupported("order", "of which of them it is the first is not told")]
    return measured(node, record)


def weighs(node: Node, record: Record) -> list[Outcome]:
    """A weight whose result is not named: `weighs 70 kg`."""
    points = record.points(frozenset({keys_of.of_loinc(HEIGHT if node.says("of") == "tall" else WEIGHT)}))
    if not points:
        return [unsupported("value", NO_RESULT)]
    value = node.all("value")[0]
    past = bool({part.text for part in node.parts} & {"weighed"})
    reading = Reading(node, value, (), (), tuple(part for part in node.parts if is_when(part)), "", past)
    agreeing, wrong = _agreeing(reading, points, record)
    return [supported("value", agreeing[-1].facts) if agreeing else wrong]


# --- bounds, ranges, superlatives, comparisons


def bounded(node: Node, record: Record) -> list[Outcome]:
    """Above or below a value: now, at a time, or all the time since."""
    if node.one(PRIOR) and node.all("bound")[0].text.startswith("up to"):
        raise UnclearError("whether it is a bound or a rise")
    points = points_of(node.all("obs")[0], record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    spans = series.spans_of(node.all("when"), record)
    is_lasting = bool({part.text for part in node.parts} & _LASTINGLY)
    chosen = within(points, spans, record) if spans or is_lasting else series.newest(points)
    if not chosen:
        return [unsupported("date", NO_TIME)]
    if not _reaches_back(points, spans, record):
        return [unsupported("date", "the record has no result of its beginning")]
    failing = [each for each in chosen if not within_bound(each, node.all("bound")[0])]
    if failing:
        return [contradicted("value", f"the record has {told(failing[-1])} on {failing[-1].day}", failing[-1].facts)]
    return [supported("value", chosen[-1].facts), *_crossed(node, points, chosen[0])]


def _crossed(node: Node, points: Sequence[Point], reached: Point) -> list[Outcome]:
    """`Has fallen below 30`: there was a value beyond before, and on the side from which it is said to come."""
    if not node.says("reached"):
        return []
    bound = node.all("bound")[0]
    before = [each for each in points if each.at < reached.at and not within_bound(each, bound)]
    if not before:
        return [unsupported("direction", "the record has no value on the other side before")]
    used = (*before[-1].facts, *reached.facts)
    if (node.says("reached") == "rise") == (reached.value > before[-1].value):
        return [supported("direction", used)]
    return [contradicted("direction", f"the record has {told(before[-1])} before", used)]


def _reaches_back(points: Sequence[Point], spans: Sequence[Span], record: Record) -> bool:
    """Whether the record has a value as old as a length of time that is named."""
    oldest = (record.today - points[0].day).days
    return all(oldest >= span.length * 0.9 for span in spans if span.relation == "span")


def within_bound(point: Point, bound: Node) -> bool:
    """Whether the value of a point lies above or below what is said."""
    said = meaning.amount(bound)
    actual = series.in_unit(point, said.unit)
    if actual is None:
        raise UnclearError("the two units cannot be compared")
    match bound.says("compare"):
        case "above":
            return actual > said.value
        case "below":
            return actual < said.value
        case "at-least":
            return actual >= said.value
    return actual <= said.value


def never(node: Node, record: Record) -> list[Outcome]:
    """Never above or below a value: over the whole series."""
    points = points_of(node.all("obs")[0], record)
    chosen = within(points, series.spans_of(node.all("when"), record), record) if points else []
    if not chosen:
        return [unsupported("value", NO_RESULT)]
    for point in chosen:
        bound = node.one("bound")
        if bound:
            exceeded = within_bound(point, bound) and not series.says(meaning.amount(bound), point)
        else:
            exceeded = _exceeds(point, node)
        if exceeded:
            return [contradicted("value", f"the record has {told(point)} on {point.day}", point.facts)]
    return [supported("value", chosen[-1].facts)]


def _exceeds(point: Point, node: Node) -> bool:
    said = meaning.amount(node.all("value")[0])
    actual = series.in_unit(point, said.unit)
    if actual is None:
        raise UnclearError("the two units cannot be compared")
    below = node.says("compare") == "below"
    return (actual < said.value if below else actual > said.value) and not series.says(said, point)


def ranged(node: Node, record: Record) -> list[Outcome]:
    """From the lowest to the highest value of the series."""
    points = points_of(node.all("obs")[0], record)
    chosen = within(points, series.spans_of(node.all("when"), record), record) if points else []
    if not chosen:
        return [unsupported("value", NO_RESULT)]
    low, high = node.all("low")[0], node.all("high")[0]
    unit = meaning.amount(high).unit
    return [_edge(value, series.extremes(chosen, order), unit) for value, order in ((low, "lowest"), (high, "highest"))]


def kept_between(node: Node, record: Record) -> list[Outcome]:
    """Every value lies between two."""
    points = points_of(node.all("obs")[0], record)
    chosen = within(points, series.spans_of(node.all("when"), record), record) if points else []
    if not chosen:
        return [unsupported("value", NO_RESULT)]
    if node.one(PRIOR) and any(part.text == "from" for part in node.parts):
        return [_from_to(node, points, chosen, record)]
    low, high = (meaning.amount(node.all(role)[0]) for role in ("low", "high"))
    outside = [
        each for each in chosen if not (_is_between(each, low.value, high) or says(low, each) or says(high, each))
    ]
    if outside:
        return [contradicted("value", f"the record has {told(outside[-1])} on {outside[-1].day}", outside[-1].facts)]
    return [supported("value", chosen[-1].facts)]


def _from_to(node: Node, points: Sequence[Point], ends: Sequence[Point], record: Record) -> Outcome:
    """`..., from 80 kg to 84 kg in 2025` behind a course: the value with which it begins and one of its end."""
    begins = within(points, series.spans_of(node.all(PRIOR)[0].all("when"), record), record)[:1]
    first, last = series.saying(node.all("low")[0], begins), series.saying(node.all("high")[0], ends)
    if first and last and first[0].at < last[-1].at:
        return supported("value", (*first[0].facts, *last[-1].facts))
    return unsupported("value", "the record has no course from the one to the other")


def _is_between(point: Point, low: Decimal, high: Amount) -> bool:
    actual = series.in_unit(point, high.unit)
    return actual is not None and low <= actual <= high.value


def interval(node: Node, record: Record) -> list[Outcome]:
    """`Potassium 4.3 to 5.6`: the range of the series."""
    inner = node.all("interval")[0]
    return ranged(replace(node, roles={**node.roles, **inner.roles}), record)


def _edge(value: Node, extreme: Sequence[Point], unit: str) -> Outcome:
    said = meaning.amount(value)
    said = said if said.unit else Amount(said.value, unit)
    if any(says(said, each) for each in extreme):
        return supported("value", extreme[-1].facts)
    return disagreement(said, extreme)


def ranked(node: Node, record: Record) -> list[Outcome]:
    """A value that is the highest, lowest, first or last one."""
    own = tuple(part for part in node.parts if not _is_other(part, node))
    compared = compared_readings(replace(node, parts=own), record, ranked=True)
    outcomes = [outcome for _, _, each in compared for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    for rank in node.all("rank"):
        if _numbers(rank):
            outcomes += _other_extreme(rank, compared[-1][0], node, record)
            continue
        ranked_ones = compared if node.says("all") else compared[-1:]
        outcomes += [_is_extreme(each, rank, record) for each in ranked_ones]
    return outcomes


def _is_extreme(compared: Compared, rank: Node, record: Record) -> Outcome:
    reading, agreeing, _ = compared
    extreme = series.extremes(points_of(reading.subject, record, dated=False), series.order_of(rank))
    if not agreeing or not extreme:
        raise UnclearError("which value is meant")
    if {each.at for each in extreme} & {each.at for each in agreeing}:
        return supported("order", agreeing[-1].facts)
    return contradicted("order", f"the record has {told(extreme[-1])} on {extreme[-1].day}", extreme[-1].facts)


def _numbers(rank: Node) -> list[Node]:
    return [one for one in rank.all("one") if one.text.lower() != "one"]


def _is_other(part: Node, node: Node) -> bool:
    """Whether a time belongs to another value than the first: the lowest is 7.9 and the highest 16.7 in July 2003."""
    return is_when(part) and any(map(_numbers, node.all("rank")))


def _other_extreme(rank: Node, reading: Reading, node: Node, record: Record) -> list[Outcome]:
    """`... and the highest 16.7 in July 2003`: another value of the same result."""
    subject = names_of_result(reading.subject)
    meant = series.extremes(points_of(subject, record.whole), series.order_of(rank))
    value, whens = _numbers(rank)[0], [part for part in node.parts if _is_other(part, node)]
    if not meant or not series.saying(value, meant):
        return [disagreement(meaning.amount(value), meant)] if meant else [unsupported("value", NO_RESULT)]
    if not within(meant, series.spans_of(whens, record), record):
        return [contradicted("date", f"the record has it on {meant[-1].day}", meant[-1].facts)]
    return [supported("order", meant[-1].facts)]


def names_of_result(node: Node) -> Node:
    """A result without the rank that stands before it."""
    inner = node.one("of")
    return names_of_result(inner) if inner is not None and "obs" in inner.kinds else node


def _only_one(rank: Node) -> None:
    """`The most recent one`: the number is a word for the value."""
    if any(one.text.lower() != "one" for one in rank.all("one")):
        raise UnclearError("which value is meant")


def extreme_rank(node: Node, record: Record) -> list[Outcome]:
    """`Her latest hemoglobin is the lowest on record.`"""
    obs, rank = node.all("obs")[0], node.all("rank")[0]
    points = points_of(obs, record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    _only_one(rank)
    extreme = series.extremes(points_of(obs, record, dated=False), series.order_of(rank))
    spans = series.spans_of(node.all("when"), record)
    meant = within(points, spans, record) if spans else series.extremes(points, series.order_of(obs) or "last")
    if not meant:
        return [unsupported("date", NO_TIME)]
    if {each.at for each in meant} & {each.at for each in extreme}:
        return [supported("order", meant[-1].facts), *(of_those(value, extreme) for value in node.all("value"))]
    return [contradicted("order", f"the record has {told(extreme[-1])} on {extreme[-1].day}", extreme[-1].facts)]


def extreme_when(node: Node, record: Record) -> list[Outcome]:
    """When the highest, lowest, first or last value was."""
    obs = node.all("obs")[0]
    order, points = series.order_of(obs), points_of(obs, record)
    if not points or not order:
        return [unsupported("value", NO_RESULT if not points else "which value is meant is not clear")]
    extreme = series.extremes(points, order)
    spans = [span for span in series.spans_of(node.all("when"), record) if span.readings]
    if not spans:
        return [unsupported("date", "which time is meant is not clear")]
    if within(extreme, spans, record):
        return [supported("date", extreme[-1].facts)]
    return [contradicted("date", f"the record has it on {extreme[-1].day}", extreme[-1].facts)]


def compared(node: Node, record: Record) -> list[Outcome]:
    """Higher or lower at one time than at another."""
    points = points_of(node.all("obs")[0], record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    first = at(node.all("first"), points, record)
    second = at(node.all("second"), points, record)
    if not first or not second:
        return [unsupported("date", NO_TIME)]
    values = [(each, at) for role, at in (("value", first), ("other", second)) for each in node.all(role)]
    return [_higher_or_lower(node.says("direction"), first, second), *(of_those(each, at) for each, at in values)]


def of_those(value: Node, points: Sequence[Point]) -> Outcome:
    agreeing = series.saying(value, points)
    return supported("value", agreeing[-1].facts) if agreeing else disagreement(meaning.amount(value), points)


def _higher_or_lower(wanted: str, first: Sequence[Point], second: Sequence[Point]) -> Outcome:
    ahead, behind = ([each.value for each in points] for points in (first, second))
    holds = min(ahead) > max(behind) if wanted == "higher" else max(ahead) < min(behind)
    used = (*first[-1].facts, *second[-1].facts)
    if holds:
        return supported("direction", used)
    reason = f"the record has {told(first[-1])} on {first[-1].day} and {told(second[-1])} on {second[-1].day}"
    return contradicted("direction", reason, used)


def at(whens: Sequence[Node], points: Sequence[Point], record: Record) -> list[Point]:
    return within(points, series.spans_of(whens, record), record) if whens else series.newest(points)


# --- counts, absence, corrections


def counted(node: Node, record: Record) -> list[Outcome]:
    """How many values of a result are on record, over all or in a time."""
    said = readings(node)
    if said and meaning.amount(said[0].value).unit and not node.says("opens"):
        # `A potassium of 5.6 mmol/L was recorded`.
        return measured(node, record)
    obs, number = (said[0].subject, said[0].value) if said else (node.all("obs")[0], node.one("number"))
    points = points_of(obs, record)
    if not points or len(said) > 1:
        return [unsupported("count", NO_RESULT)]
    inside = within(points, series.spans_of(node.all("when"), record), record)
    times = node.one("times")
    wanted = meaning.tally(number) if number else _times(times) if times else 1
    if wanted in (len(inside), len({point.at for point in inside})):
        return [supported("count", [fact for point in inside for fact in point.facts])]
    return [contradicted("count", f"the record has {len(inside)} of them", points[-1].facts)]


def counted_values(node: Node, record: Record) -> list[Outcome]:
    """How often a result was measured in a time, and the value of each time (`checked twice: 2.3 and 2.5 mg/dL`)."""
    values, inside = node.all("value"), _of_times(node, record)
    if len(values) != len(inside):
        return [unsupported("count", f"the record has {len(inside)} values of that time")]
    return [*counted(node, record), *(_one_of(value, inside) for value in values)]


def _of_times(node: Node, record: Record) -> list[Point]:
    return within(points_of(node.all("obs")[0], record), series.spans_of(node.all("when"), record), record)


def _one_of(value: Node, inside: Sequence[Point]) -> Outcome:
    agreeing = series.saying(value, inside)
    return supported("value", agreeing[0].facts) if agreeing else disagreement(meaning.amount(value), inside)


def _times(times: Node) -> int:
    """`Once` of a count is the word of a frequency."""
    if not times.says("per"):
        return meaning.count(times)
    if times.text != "once":
        raise UnclearError("how often is meant")
    return 1


def corrected(node: Node, record: Record) -> list[Outcome]:
    """A value that replaced another: both are told, and that the later one corrects."""
    said = readings(node)
    obs, wrong = (said[0].subject, said[0].value) if said else (node.all("obs")[0], node.all("from")[0])
    points = [each for each in points_of(obs, record) if _is_corrected(each)]
    whens = [*node.all("when"), *(when for each in said for when in each.whens)]
    points = within(points, series.spans_of(whens, record), record) if points else []
    if not points or len(said) > 1:
        return [unsupported("value", "the record has no such correction")]
    right = series.saying(node.all("to")[0], points)
    if not right:
        return [disagreement(meaning.amount(node.all("to")[0]), points)]
    earlier = _replaced(right[-1], record)
    if series.saying(wrong, earlier):
        return [supported("value", right[-1].facts)]
    if not earlier:
        return [unsupported("value", "the record does not hold the value before the correction")]
    return [disagreement(meaning.amount(wrong), earlier)]


def _is_corrected(point: Point) -> bool:
    return not point.derived and point.facts[0].status == pb.FACT_STATUS_CORRECTED


def _replaced(point: Point, record: Record) -> list[Point]:
    """What stood at this moment before."""
    own, keys = point.facts[0], facts.keys(point.facts[0])
    found: list[Point] = []
    for fact in (each.fact for each in record.sources.recorded if each.fact.fact_id != own.fact_id):
        number = facts.number(fact.quantity) if fact.HasField("quantity") else None
        same = fact.valid_from == own.valid_from and facts.keys(fact) & keys
        if number is not None and same and not record.sources.is_current(fact.fact_id):
            found.append(Point(point.day, number, fact.quantity.unit, (fact,), at=point.at))
    return found
