"""Values of results: of a day, the newest, first, highest and lowest, ranges, bounds and comparisons."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact, Quantity
from terminology import names as observed
from terminology import observables, units
from terminology.loinc import SYSTOLIC, WEIGHT, loinc

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import meaning
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.lexicon import Keys
from grounding.reading import names
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

_PRESENT = frozenset({"is", "are", "now", "currently", "remains", "remain", "today"})
_PAST = frozenset({"was", "were", "had", "measured", "reached", "came", "stood", "found"})
DIASTOLIC = loinc("diastolic-blood-pressure")
NO_RESULT = "the record has no such result"
# Of these a higher value is a worse one; of the others neither is known.
_WORSE_HIGHER = frozenset({"2160-0", "4548-4", "2823-3", "3094-0", "9318-7"})
_WORSE_LOWER = frozenset({"33914-3", "62238-1", "98979-8", "718-7"})


def observed_keys(node: Node) -> Keys:
    return meaning.keys(node, names.OBSERVABLE)


def order_of(node: Node) -> str:
    """`last`, `first`, `highest`, `lowest`, or nothing."""
    return node.says("order") or next((found for part in node.parts if (found := order_of(part))), "")


def points_of(node: Node, record: Record) -> tuple[Point, ...]:
    """The course of the result that a phrase names, in the specimen that it names."""
    found = record.points(observed_keys(node))
    specimen = _specimen(node)
    return tuple(point for point in found if _is_of(point, specimen)) if specimen else found


def _specimen(node: Node) -> str:
    return node.says("specimen") or next((found for part in node.parts if (found := _specimen(part))), "")


def _is_of(point: Point, specimen: str) -> bool:
    other = observed.other_specimen(point.facts[0].code) if point.facts else ""
    return specimen in other.lower() if specimen not in ("blood", "serum", "plasma") else not other


def measured(node: Node, record: Record) -> list[Outcome]:
    """Each value against the results of its day, or the newest where the present is meant."""
    outer = [span for when in node.all("when") for span in meaning.spans(when, record)]
    if node.says("panel") and not meaning.keys(node.all("obs")[0], names.PANEL):
        return [unsupported("clear", "what it introduces is not clear")]
    results = list(node.within("result"))
    if not results:
        return _value(node, node.all("obs")[0], node.all("value")[0], outer, record, node)
    found: list[Outcome] = []
    for result in results:
        own = [span for when in result.all("at") for span in meaning.spans(when, record)]
        if result.all("bp"):
            found += _pressure(result, own or outer, record)
        else:
            found += _value(result, result.all("obs")[0], result.all("value")[0], own or outer, record, node)
    return found


def _value(
    result: Node, obs: Node, value: Node, spans: Sequence[Span], record: Record, whole: Node
) -> list[Outcome]:
    points = points_of(obs, record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    said, about = meaning.amount(value), meaning.is_about(value)
    if obs.says("time") == "admission" or any(part.says("time") == "admission" for part in obs.parts):
        spans = [*spans, Span("on", ((record.stays[-1].valid_from.ToDatetime().date(),) * 2,))] if record.stays else spans
    chosen = _chosen(points, order_of(obs), spans, result, whole, record)
    if not chosen:
        return [_no_such_day(points, said, spans)]
    agreeing = [point for point in chosen if _says(said, point, about=about)]
    if not agreeing:
        return [_disagreement(said, chosen).of(value)]
    overtaken = _overtaken(agreeing, obs, spans, result, whole, record)
    if overtaken:
        return [overtaken]
    outcomes = [supported("value", agreeing[-1].facts).of(value)]
    flags = [flag for flag in result.all("flag") if flag.says("level")]
    return [*outcomes, *(level(flag.says("level"), agreeing[-1]) for flag in flags)]


def _chosen(
    points: Sequence[Point], order: str, spans: Sequence[Span], result: Node, whole: Node, record: Record
) -> list[Point]:
    on = [span for span in spans if span.readings]
    if order:
        extreme = extremes(points, order)
        return [each for each in extreme if all(span.includes(each.day) for span in on)]
    if any(span.relation in ("since", "span", "past") for span in spans):
        inside = within(points, spans, record)
        said = meaning.amount(result.all("value")[0]) if result.all("value") else None
        return list(inside) if said and inside and all(_says(said, each) for each in inside) else []
    if on:
        return [each for each in points if all(_covers(span, each) for span in on)]
    words = {part.text for part in (*result.parts, *whole.parts)}
    return list(points) if words & _PAST and not words & _PRESENT else _newest(points)


def _overtaken(
    agreeing: Sequence[Point], obs: Node, spans: Sequence[Span], result: Node, whole: Node, record: Record
) -> Outcome | None:
    """Whether another value of the whole record is the newest, first, highest or lowest, where one of them is meant."""
    if record.everything is None:
        return None
    chosen = _chosen(points_of(obs, record.everything), order_of(obs), spans, result, whole, record.everything)
    if any(each.day == point.day and each.value == point.value for each in chosen for point in agreeing):
        return None
    other = chosen[-1] if chosen else agreeing[-1]
    return contradicted("recency", f"the record has {told(other)} on {other.day}", other.facts)


def _newest(points: Sequence[Point]) -> list[Point]:
    return [each for each in points if each.day == points[-1].day]


def _covers(span: Span, point: Point) -> bool:
    match span.relation:
        case "before" | "until":
            return any(point.day <= last for _, last in span.readings)
        case "after":
            return any(point.day >= first for first, _ in span.readings)
    return span.includes(point.day)


def within(points: Sequence[Point], spans: Sequence[Span], record: Record) -> list[Point]:
    """The points of the spans; of `since` from that day on; of a length of time up to now, those within it."""
    kept = list(points)
    for span in spans:
        if span.relation == "since":
            kept = [each for each in kept if any(each.day >= first for first, _ in span.readings)]
        elif span.relation in ("span", "past"):
            kept = [each for each in kept if (record.today - each.day).days <= span.length * 1.1]
        elif span.readings:
            kept = [each for each in kept if _covers(span, each)]
    return kept


def extremes(points: Sequence[Point], order: str) -> list[Point]:
    """The first, last, highest or lowest points of a course."""
    match order:
        case "first":
            return [each for each in points if each.day == points[0].day]
        case "last":
            return _newest(points)
        case "best" | "worst":
            return _judged_extreme(points, order)
    values = [_number(each) for each in points]
    wanted = max(values) if order == "highest" else min(values)
    return [each for each in points if _number(each) == wanted]


def _judged_extreme(points: Sequence[Point], order: str) -> list[Point]:
    worse = worse_direction(points)
    if not worse:
        raise UnclearError("which value is the better one")
    return extremes(points, "highest" if (worse > 0) == (order == "worst") else "lowest")


def worse_direction(points: Sequence[Point]) -> int:
    """1 where higher is worse, -1 where lower is, 0 where neither is known."""
    loincs = {facts.about(fact).loinc for point in points for fact in point.facts}
    if loincs & _WORSE_HIGHER:
        return 1
    return -1 if loincs & _WORSE_LOWER or points[0].derived else 0


def _number(point: Point) -> Decimal:
    return point.value


def in_unit(point: Point, unit: str) -> Decimal | None:
    """A point's value in the unit that is said; None where the two cannot be compared."""
    if not unit:
        return point.value
    if point.derived:
        return point.value if unit in (point.unit, units.printed(point.unit)) else None
    fact = point.facts[0]
    for quantity in facts.quantities(fact):
        number = facts.number(quantity)
        if number is not None and units.printed(quantity.unit) == unit:
            return number
    for quantity in facts.quantities(fact):
        number = facts.number(quantity)
        converted = number is not None and observables.convert(
            number, units.printed(quantity.unit), unit, facts.measured(fact, quantity)
        )
        if converted:
            return converted
    return None


def _says(said: Amount, point: Point, *, about: bool = False) -> bool:
    actual = in_unit(point, said.unit)
    if actual is None or _comparator(point):
        return False
    if not said.unit and not point.derived:
        return any(
            meaning.agrees(said, number, about=about)
            for quantity in facts.quantities(point.facts[0])
            if (number := facts.number(quantity)) is not None
        )
    return meaning.agrees(said, actual, about=about)


def is_value(said: Amount, fact: ClinicalFact) -> bool:
    """Whether an amount says the value of a result."""
    number = facts.number(fact.quantity)
    return number is not None and _says(said, Point(date.min, number, fact.quantity.unit, (fact,)))


def _comparator(point: Point) -> str:
    return "" if point.derived else point.facts[0].quantity.comparator


def _disagreement(said: Amount, chosen: Sequence[Point]) -> Outcome:
    point = chosen[-1]
    if said.unit and in_unit(point, said.unit) is None:
        return contradicted("unit", f"the record has {told(point)}", point.facts)
    return contradicted("value", f"the record has {told(point)} on {point.day}", point.facts)


def _no_such_day(points: Sequence[Point], said: Amount, spans: Sequence[Span]) -> Outcome:
    others = [each for each in points if _says(said, each)]
    if others:
        return contradicted("date", f"the record has this value on {others[-1].day}", others[-1].facts)
    if any(span.readings for span in spans):
        return unsupported("date", "the record has no such result of that time")
    return contradicted("value", f"the record has {told(points[-1])} on {points[-1].day}", points[-1].facts)


def told(point: Point) -> str:
    unit = units.printed(point.unit)
    return f"{point.value}{'' if unit in ('', '%') else ' '}{unit}"


def _pressure(result: Node, spans: Sequence[Span], record: Record) -> list[Outcome]:
    pair = result.all("pair")[0].value
    outcomes: list[Outcome] = []
    found = [record.points(frozenset({keys_of.of_loinc(code)})) for code in (SYSTOLIC, DIASTOLIC)]
    if not all(found):
        return [unsupported("value", NO_RESULT)]
    order = order_of(result.all("bp")[0])
    for points, value in zip(found, (pair.first, pair.second), strict=True):
        chosen = _chosen(points, order, spans, result, result, record)
        agreeing = [each for each in chosen if meaning.agrees(Amount(value), each.value)]
        if agreeing:
            outcomes.append(supported("value", agreeing[-1].facts))
        else:
            outcomes.append(_no_such_day(points, Amount(value), spans) if not chosen else _disagreement(Amount(value), chosen))
    return outcomes


# --- levels


def level_of(point: Point) -> str:
    """`high`, `low` or `normal` by the flag that was sent and the reference range; empty where neither is there."""
    fact = point.facts[0]
    if point.derived:
        return ""
    flag = fact.abnormal_flag.upper()
    if flag in ("H", "HH", ">", "HU"):
        return "high"
    if flag in ("L", "LL", "<", "LU"):
        return "low"
    ranged = _by_range(fact)
    return "normal" if flag == "N" and ranged in ("", "normal") else ranged


def _by_range(fact: ClinicalFact) -> str:
    """By the reference range, which is in the unit that was sent."""
    sent = fact.source_quantity if fact.HasField("source_quantity") else fact.quantity
    number = facts.number(sent)
    low, high = (facts.number(Quantity(value=each)) for each in (fact.reference_range.low, fact.reference_range.high))
    if number is None or (low is None and high is None):
        return ""
    if low is not None and number < low:
        return "low"
    return "high" if high is not None and number > high else "normal"


def level(wanted: str, point: Point) -> Outcome:
    actual = level_of(point)
    if not actual:
        return unsupported("level", "the record has no flag and no reference range for it")
    if actual == wanted:
        return supported("level", point.facts)
    return contradicted("level", f"the record says {actual} of {told(point)} on {point.day}", point.facts)


def series(node: Node, record: Record) -> list[Outcome]:
    """Values one after the other, in their order."""
    obs, stated = _series(node)
    points = points_of(obs, record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    unit = next((meaning.amount(value).unit for value, _ in reversed(stated) if meaning.amount(value).unit), "")
    found: list[Outcome] = []
    at = 0
    for value, when in stated:
        said = Amount(meaning.amount(value).value, unit)
        spans = meaning.spans(when, record) if when else []
        place = next((n for n in range(at, len(points)) if _says(said, points[n]) and _covered(points[n], spans)), None)
        if place is None:
            others = [each for each in points if _covered(each, spans)] or list(points)
            return [*found, _disagreement(said, others)]
        found.append(supported("value", points[place].facts))
        at = place + 1
    words = {part.text for part in node.parts}
    return found if not words & _FALLING_OR_RISING else [*found, _moved(words, stated)]


_FALLING = frozenset({"fell", "fallen", "falling", "downtrending", "dropped", "decreased", "down", "declined", "decreasing"})
_RISING = frozenset({"rose", "risen", "rising", "uptrending", "increased", "up", "climbed", "increasing"})
_FALLING_OR_RISING = _FALLING | _RISING


def _moved(words: set[str], stated: Sequence[tuple[Node, Node | None]]) -> Outcome:
    first, last = (meaning.amount(stated[place][0]).value for place in (0, -1))
    right = last < first if words & _FALLING else last > first
    return supported("direction") if right else contradicted("direction", f"{first} is followed by {last}")


def _series(node: Node) -> tuple[Node, list[tuple[Node, Node | None]]]:
    """The concept, and each value with the time that follows it."""
    inner = [part for whole in node.all("results") for part in whole.within("result")]
    obs = inner[-1].all("obs")[0] if inner else node.all("obs")[0]
    stated: list[tuple[Node, Node | None]] = [(value, None) for result in inner for value in result.all("value")]
    for part in node.parts:
        if "value" in part.kinds:
            stated.append((part, None))
        elif "when" in part.kinds and stated:
            stated[-1] = (stated[-1][0], part)
    return obs, stated


def _covered(point: Point, spans: Sequence[Span]) -> bool:
    return all(_covers(span, point) for span in spans if span.readings)


def dated(node: Node, record: Record) -> list[Outcome]:
    """Values of one concept, each with its own time."""
    obs, stated = _series(node)
    points = points_of(obs, record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    unit = next((meaning.amount(value).unit for value, _ in stated if meaning.amount(value).unit), "")
    return [_of_its_time(Amount(meaning.amount(value).value, unit), when, points, record) for value, when in stated]


def _of_its_time(said: Amount, when: Node | None, points: Sequence[Point], record: Record) -> Outcome:
    spans = meaning.spans(when, record) if when else []
    chosen = [each for each in points if _covered(each, spans)]
    agreeing = [each for each in chosen if _says(said, each)]
    if agreeing:
        return supported("value", agreeing[-1].facts)
    return _disagreement(said, chosen) if chosen else _no_such_day(points, said, spans)


def previous(node: Node, record: Record) -> list[Outcome]:
    """A value and one before it."""
    obs, stated = _series(node)
    points = points_of(obs, record)
    now = measured(node, record) if not node.all("value") else []
    later, earlier = meaning.amount(stated[0][0]), meaning.amount(stated[-1][0])
    said = Amount(earlier.value, earlier.unit or later.unit)
    newest = [place for place, point in enumerate(points) if _says(later, point)]
    if not newest:
        return [_disagreement(later, points) if points else unsupported("value", NO_RESULT)]
    before = [each for each in points[: newest[-1]] if _says(said, each)]
    if not before:
        return [contradicted("recency", "the record has no such value before it", points[newest[-1]].facts)]
    return [*now, supported("value", points[newest[-1]].facts), supported("value", before[-1].facts)]


def counted(node: Node, record: Record) -> list[Outcome]:
    """How many values the whole record has."""
    inner = [part for whole in node.all("results") for part in whole.within("result")]
    obs = (inner[0] if inner else node).all("obs")[0]
    values = (inner[0] if inner else node).all("value")
    times = node.one("times")
    said = meaning.amount(values[0]).value if values else Decimal(meaning.count(times) if times else 1)
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    points = [each for each in points_of(obs, record.whole) if _covered(each, spans)]
    used = [fact for point in points for fact in point.facts]
    if values and meaning.amount(values[0]).unit:
        return [unsupported("count", "what is counted is not clear")]
    if len(points) == said:
        return [supported("count", used)]
    return [contradicted("count", f"the record has {len(points)}", used)]


def weighs(node: Node, record: Record) -> list[Outcome]:
    """A weight that is said with a verb."""
    points = record.points(frozenset({keys_of.of_loinc(WEIGHT)}))
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    if not points:
        return [unsupported("value", NO_RESULT)]
    said = meaning.amount(node.all("value")[0])
    chosen = [each for each in points if _covered(each, spans)] if spans else _newest(points)
    agreeing = [each for each in chosen if _says(said, each, about=meaning.is_about(node.all("value")[0]))]
    if agreeing:
        return [supported("value", agreeing[-1].facts)]
    return [_disagreement(said, chosen) if chosen else _no_such_day(points, said, spans)]


def extreme_of(node: Node, record: Record) -> list[Outcome]:
    """A value that is the highest, lowest or newest of its course."""
    results = [part for whole in node.all("results") for part in whole.within("result")]
    if len(results) != 1 and not node.all("obs"):
        return [unsupported("recency", "of which of them it is said is not clear")]
    obs = results[0].all("obs")[0] if results else node.all("obs")[0]
    value = results[0].all("value")[0] if results else node.all("value")[0]
    points, order = points_of(obs, record.whole), node.says("order") or order_of(obs)
    if not points or not order:
        return [unsupported("value", NO_RESULT)]
    spans = [*_admission(obs, record), *(span for when in node.all("when") for span in meaning.spans(when, record))]
    found = [each for each in extremes(points, order) if _says(meaning.amount(value), each)]
    if not found:
        return [_disagreement(meaning.amount(value), extremes(points, order))]
    right = [each for each in found if _covered(each, spans)]
    if right:
        return [supported("value", right[-1].facts)]
    return [contradicted("date", f"the record has it on {found[-1].day}", found[-1].facts)]


def _admission(obs: Node, record: Record) -> list[Span]:
    """The day of the last admission where a value is told as that of the admission."""
    told = obs.says("time") == "admission" or any(part.says("time") == "admission" for part in obs.parts)
    if not told or not record.stays:
        return []
    day = record.stays[-1].valid_from.ToDatetime().date()
    return [Span("on", ((day, day),))]


def judged(node: Node, record: Record) -> list[Outcome]:
    """High, low, normal: by flag and reference range of the newest value, or of the day that is named."""
    outcomes: list[Outcome] = []
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    values = node.all("value")
    inner = [part for whole in node.all("results") for part in whole.within("result")]
    if inner:
        values = tuple(value for result in inner for value in result.all("value"))
    for obs in (*node.all("obs"), *(obs for result in inner for obs in result.all("obs"))):
        points = points_of(obs, record)
        if not points:
            outcomes.append(unsupported("level", NO_RESULT))
            continue
        chosen = _chosen(points, order_of(obs) or ("" if spans else "last"), spans, node, node, record)
        if not chosen:
            outcomes.append(unsupported("date", "the record has no such result of that time"))
            continue
        if values:
            said = meaning.amount(values[0])
            agreeing = [each for each in chosen if _says(said, each)]
            outcomes.append(supported("value", agreeing[-1].facts) if agreeing else _disagreement(said, chosen))
        levels = [level(node.says("level"), each) for each in chosen]
        outcomes.append(next((each for each in levels if not each.holds), levels[-1]))
    return outcomes


# --- bounds, ranges, extremes, comparisons


def bounded(node: Node, record: Record) -> list[Outcome]:
    """Above or below a value: now, at a time, or all the time since."""
    points = points_of(node.all("obs")[0], record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    bound = node.all("bound")[0]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    lasting = any(span.relation in ("since", "span", "past", "between") for span in spans)
    chosen = within(points, spans, record) if spans else _newest(points)
    if not chosen:
        return [unsupported("date", "the record has no such result of that time")]
    if lasting and any(span.relation == "since" and not any(span.includes(p.day) for p in points) and
                       not any(p.day >= first for p in points for first, _ in span.readings) for span in spans):  # fmt: skip
        return [unsupported("date", "the record has no result of its beginning")]
    failing = [each for each in chosen if not _within_bound(each, bound)]
    if failing:
        return [contradicted("value", f"the record has {told(failing[-1])} on {failing[-1].day}", failing[-1].facts)]
    return [supported("value", chosen[-1].facts)]


def _within_bound(point: Point, bound: Node) -> bool:
    said = meaning.amount(bound)
    actual = in_unit(point, said.unit)
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
    if not points:
        return [unsupported("value", NO_RESULT)]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    for point in within(points, spans, record):
        exceeded = _within_bound(point, node.all("bound")[0]) if node.all("bound") else _exceeds(point, node)
        if exceeded:
            return [contradicted("value", f"the record has {told(point)} on {point.day}", point.facts)]
    return [supported("value", points[-1].facts)]


def _exceeds(point: Point, node: Node) -> bool:
    said = meaning.amount(node.all("value")[0])
    actual = in_unit(point, said.unit)
    if actual is None:
        raise UnclearError("the two units cannot be compared")
    return actual > said.value


def ranged(node: Node, record: Record) -> list[Outcome]:
    """From the lowest to the highest value of the series."""
    points = points_of(node.all("obs")[0], record)
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    chosen = within(points, spans, record)
    if not chosen:
        return [unsupported("value", NO_RESULT)]
    outcomes = []
    for order, role in (("lowest", "low"), ("highest", "high")):
        said, extreme = meaning.amount(node.all(role)[0]), extremes(chosen, order)
        if any(_says(Amount(said.value, said.unit), each) for each in extreme):
            outcomes.append(supported("value", extreme[-1].facts))
        else:
            outcomes.append(_disagreement(said, extreme))
    return outcomes


def extreme(node: Node, record: Record) -> list[Outcome]:
    """The highest, lowest, first or last value, and when it was."""
    obs = node.all("obs")[0]
    order = node.says("order") or order_of(obs)
    points = points_of(obs, record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    if not order:
        return measured(node, record)
    said, found = meaning.amount(node.all("value")[0]), extremes(points, order)
    agreeing = [each for each in found if _says(said, each)]
    if not agreeing:
        return [_disagreement(said, found)]
    if obs.says("time") == "admission" and record.stays:
        spans = [*spans, Span("on", ((record.stays[-1].valid_from.ToDatetime().date(),) * 2,))]
    if all(any(_covers(span, each) for each in agreeing) for span in spans if span.readings):
        return [supported("value", agreeing[-1].facts)]
    return [contradicted("date", f"the record has it on {agreeing[-1].day}", agreeing[-1].facts)]


def extreme_when(node: Node, record: Record) -> list[Outcome]:
    """When the highest, lowest, first or last value was."""
    obs = node.all("obs")[0]
    order, points = order_of(obs), points_of(obs, record)
    if not points or not order:
        return [unsupported("value", NO_RESULT if not points else "which value is meant is not clear")]
    found = extremes(points, order)
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    if spans and all(any(_covers(span, each) for each in found) for span in spans if span.readings):
        return [supported("date", found[-1].facts)]
    return [contradicted("date", f"the record has it on {found[-1].day}", found[-1].facts)]


def compared(node: Node, record: Record) -> list[Outcome]:
    """Higher or lower at one time than at another."""
    points = points_of(node.all("obs")[0], record)
    if not points:
        return [unsupported("value", NO_RESULT)]
    first, second = (_at(node.all(role)[0], points, record) for role in ("first", "second"))
    if not first or not second:
        return [unsupported("date", "the record has no such result of that time")]
    wanted = node.says("direction")
    holds = (
        min(each.value for each in first) > max(each.value for each in second)
        if wanted == "higher"
        else max(each.value for each in first) < min(each.value for each in second)
    )
    if not holds:
        reason = f"the record has {told(first[-1])} on {first[-1].day} and {told(second[-1])} on {second[-1].day}"
        return [contradicted("direction", reason, (*first[-1].facts, *second[-1].facts))]
    outcomes = [supported("direction", (*first[-1].facts, *second[-1].facts))]
    for role, at in (("value", first), ("other", second)):
        for value in node.all(role):
            said = meaning.amount(value)
            right = any(_says(Amount(said.value, said.unit), each) for each in at)
            outcomes.append(supported("value", at[-1].facts) if right else _disagreement(said, at))
    return outcomes


def _at(when: Node, points: Sequence[Point], record: Record) -> list[Point]:
    spans = meaning.spans(when, record)
    if any(span.relation == "now" for span in spans):
        return _newest(points)
    return [each for each in points if all(_covers(span, each) for span in spans)]


def has_results(keys: Keys, record: Record) -> bool:
    return bool(record.of(keys, pb.FACT_KIND_RESULT))
