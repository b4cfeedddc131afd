"""Courses of results: the points that a phrase means, which of them an order or a time chooses, and what says one."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import names as observed
from terminology import observables, units
from terminology.loinc import (
    ACR,
    BICARBONATE_ITSELF,
    CHOLESTEROL,
    CREATININE,
    EGFR,
    HAEMOGLOBIN,
    HBA1C,
    HDL,
    LDL,
    POTASSIUM,
    TRIGLYCERIDES,
    UREA_NITROGEN,
    loinc,
)

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import meaning
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, unsupported
from grounding.comparing.record import Point, Record
from grounding.lexicon import Keys
from grounding.reading import names
from grounding.reading.dates import Found
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

NO_RESULT = "the record has no such result"
NO_TIME = "the record has no such result of that time"
_SCORE = "{score}"
_BLOOD = ("blood", "serum", "plasma")
# Scores of which a higher one is worse, and what else is worse when it is higher or lower.
_SCORES = (
    "pain-score",
    "phq-9-score",
    "phq-2-score",
    "gad-7-score",
    "audit-c-score",
    "dast-10-score",
    "hark-score",
    "fall-risk-total",
)
_HIGHER = map(loinc, ("ldl-cholesterol-direct", "c-reactive-protein", *_SCORES))
_LOWER = map(loinc, ("arterial-oxygen-saturation", "oxygen-saturation", "left-ventricular-ejection-fraction"))
# What is also told by the name of another: of arterial blood by that of blood, a saturation by that of oximetry.
_ALSO = {
    keys_of.of_loinc(other): frozenset({keys_of.of_loinc(loinc(own))})
    for other, own in (
        (loinc("oxygen-saturation"), "arterial-oxygen-saturation"),
        (loinc("blood-pco2"), "arterial-pco2"),
        (loinc("blood-po2"), "arterial-po2"),
        (BICARBONATE_ITSELF, "arterial-bicarbonate"),
        (loinc("phq-9-score"), "patient-health-questionnaire-9-modified-for-teens-total-scor"),
    )
}
# Of these a higher value is a worse one; of the others neither is known.
_WORSE_HIGHER = frozenset(
    keys_of.of_loinc(each)
    for each in (
        *(CREATININE, HBA1C, POTASSIUM, UREA_NITROGEN, ACR, LDL, CHOLESTEROL, TRIGLYCERIDES),
        *_HIGHER,
    )
)
_WORSE_LOWER = frozenset(map(keys_of.of_loinc, (EGFR, HAEMOGLOBIN, HDL, *_LOWER)))


def observed_keys(node: Node) -> Keys:
    named = meaning.keys(node, names.OBSERVABLE)
    return named.union(*(_ALSO.get(key, frozenset()) for key in named))


def order_of(node: Node) -> str:
    """`last`, `first`, `highest`, `lowest`, or nothing."""
    return inner(node, "order")


def inner(node: Node, name: str) -> str:
    """What a node or one of its parts says under a name."""
    return node.says(name) or next((said for part in node.parts if (said := inner(part, name))), "")


def points_of(node: Node, record: Record, *, dated: bool = True) -> tuple[Point, ...]:
    """The course of the result that a phrase names: in its specimen and, unless not `dated`, of its time."""
    points = _of_specimen(record.points(observed_keys(node)), inner(node, "specimen"))
    dates = list(_dates(node)) if dated else []
    points = tuple(each for each in points if all(date.includes(each.day) for date in dates)) if dates else points
    return tuple(each for each in points if each.at > points[0].at) if inner(node, "rank") == "later" else points


def _dates(node: Node) -> Iterator[Found]:
    """The dates that stand within the name of a result: her March 2024 HbA1c."""
    yield from (date.value for when in node.all("dated") for date in when.all("date"))
    for part in node.parts:
        yield from _dates(part)


def computed_of(node: Node, record: Record) -> tuple[Point, ...]:
    """What is computed of it for days without a recorded value."""
    recorded = {point.day for point in points_of(node, record)}
    return tuple(point for point in record.computed(observed_keys(node)) if point.day not in recorded)


def _of_specimen(points: tuple[Point, ...], specimen: str) -> tuple[Point, ...]:
    return tuple(point for point in points if _is_of(point, specimen)) if specimen else points


def _is_of(point: Point, specimen: str) -> bool:
    other = observed.other_specimen(point.facts[0].code) if point.facts else ""
    return not other if specimen in _BLOOD else specimen in other.lower()


def spans_of(whens: Iterable[Node], record: Record) -> list[Span]:
    return [span for when in whens for span in meaning.spans(when, record)]


def of_last(when: Node, points: Sequence[Point]) -> Span:
    """`At the last three checks`: from the third last day on which it was measured."""
    days = sorted({each.day for each in points})
    number = int(meaning.amount(when.all("number")[0]).value)
    if not 0 < number <= len(days):
        raise UnclearError("which of the last values are meant")
    return Span("between", ((days[-number], days[-1]),))


def newest(points: Sequence[Point]) -> list[Point]:
    """The last by time, never by an id: of one moment all."""
    return [each for each in points if each.at == points[-1].at]


def covers(span: Span, point: Point) -> bool:
    match span.relation:
        case "before":
            return any(point.day < first for first, _ in span.readings)
        case "until":
            return any(point.day <= last for _, last in span.readings)
        case "after":
            return any(point.day > last for _, last in span.readings)
        case "since":
            return any(point.day >= first for first, _ in span.readings)
    return span.includes(point.day)


def within(points: Sequence[Point], spans: Sequence[Span], record: Record) -> list[Point]:
    """The points of the spans; of a length of time up to now, those within it."""
    kept = list(points)
    for span in spans:
        if span.relation == "span":
            kept = [each for each in kept if (record.today - each.day).days <= span.length * 1.1]
        elif span.relation == "now":
            kept = [each for each in newest(points) if each in kept]
        elif span.readings:
            kept = [each for each in kept if covers(span, each)]
    return kept


def extremes(points: Sequence[Point], order: str) -> list[Point]:
    """The first, last, highest or lowest points of a course."""
    if not points:
        return []
    match order:
        case "first":
            return [each for each in points if each.at == points[0].at]
        case "last":
            return newest(points)
        case "best" | "worst":
            return _judged_extreme(points, order)
    values = [each.value for each in points]
    wanted = max(values) if order == "highest" else min(values)
    return [each for each in points if each.value == wanted]


def _judged_extreme(points: Sequence[Point], order: str) -> list[Point]:
    worse = worse_direction(points)
    if not worse:
        raise UnclearError("which value is the better one")
    return extremes(points, "highest" if (worse > 0) == (order == "worst") else "lowest")


def worse_direction(points: Sequence[Point]) -> int:
    """1 where higher is worse, -1 where lower is, 0 where neither is known."""
    measured = {key for point in points for fact in point.facts for key in facts.keys(fact)}
    if not points[0].derived and measured & _WORSE_HIGHER:
        return 1
    return -1 if measured & _WORSE_LOWER or points[0].derived else 0


def in_unit(point: Point, unit: str) -> Decimal | None:
    """A point's value in the unit that is said; None where the two cannot be compared."""
    if not unit:
        return point.value
    if unit.startswith("/") and unit[1:].isdigit():
        return point.value if unit[1:] == _most(point) else None
    if point.derived:
        return point.value if unit == units.printed(point.unit) else None
    possible = (units.printed(each) for each in units.readings(unit) or (unit,))
    told = (number for each in possible if (number := _in_unit(point, each)) is not None)
    return next(told, None)


def _in_unit(point: Point, unit: str) -> Decimal | None:
    sent = _as_sent(point, unit)
    return _converted(point, unit) if sent is None else sent


def _most(point: Point) -> str:
    """The highest value that a score can have; empty where it is not known or the result is no score."""
    known = None if point.derived else observables.by_loinc(facts.about(point.facts[0]).loinc)
    is_score = known is not None and known.observable.property == "score" and known.observable.high is not None
    return str(known.observable.high) if known and is_score else ""


def _as_sent(point: Point, unit: str) -> Decimal | None:
    sent = (each for each in facts.quantities(point.facts[0]) if units.printed(each.unit) == unit)
    return next((number for each in sent if (number := facts.number(each)) is not None), None)


def _converted(point: Point, unit: str) -> Decimal | None:
    fact = point.facts[0]
    for each in facts.quantities(fact):
        number = facts.number(each)
        if number is None:
            continue
        other = observables.convert(number, units.printed(each.unit), unit, facts.measured(fact, each))
        if other is not None:
            return other
    return None


def says(value: Amount, point: Point, *, about: bool = False) -> bool:
    """Whether an amount says the value of a point; where no unit is said, in any unit that was sent."""
    if _comparator(point):
        return False
    stated = _stated(point)
    if point.exact and not about and value.unit in ("", *(unit for _, unit in stated)):
        own = [number for number, unit in stated if value.unit in ("", unit)]
        return any(value.value in (number, facts.rounded(number)) for number in own)
    if not value.unit and not point.derived:
        sent = map(facts.number, facts.quantities(point.facts[0]))
        # A score is told in whole points.
        whole = point.unit == _SCORE and not value.decimals
        return any(
            number is not None
            and (meaning.agrees(value, number, about=about) or (whole and meaning.is_rounded(value, number)))
            for number in sent
        )
    actual = in_unit(point, value.unit)
    return actual is not None and meaning.agrees(value, actual, about=about, cited=point.exact)


def _stated(point: Point) -> list[tuple[Decimal, str]]:
    """The numbers of a point, each with its unit as it is printed."""
    if point.derived:
        return [(point.value, units.printed(point.unit)), (point.value, point.unit)]
    sent = facts.quantities(point.facts[0])
    return [(number, units.printed(each.unit)) for each in sent if (number := facts.number(each)) is not None]


def saying(value: Node, points: Iterable[Point]) -> list[Point]:
    """The points of which a value is said."""
    said, about, side = meaning.amount(value), meaning.is_about(value), meaning.side_of(value)
    agreeing = [each for each in points if says(said, each, about=about)]
    if not side:
        return agreeing
    return [
        each for each in agreeing if (sent := in_unit(each, said.unit)) is not None and (sent - said.value) * side > 0
    ]


def is_value(value: Amount, fact: ClinicalFact) -> bool:
    """Whether an amount says the value of a result, whenever it was."""
    number = facts.number(fact.quantity)
    return number is not None and says(value, Point(date.min, number, fact.quantity.unit, (fact,)))


def _comparator(point: Point) -> str:
    return "" if point.derived else point.facts[0].quantity.comparator


def told(point: Point) -> str:
    unit = units.printed(point.unit)
    return f"{point.value}{'' if unit in ('', '%') else ' '}{unit}"


def disagreement(amount: Amount, chosen: Sequence[Point]) -> Outcome:
    point = chosen[-1]
    actual = in_unit(point, amount.unit)
    if amount.unit and actual is None:
        if units.printed(point.unit).startswith(f"{amount.unit}/"):
            return unsupported("unit", f"the unit is not told whole: the record has {told(point)}")
        return contradicted("unit", f"the record has {told(point)}", point.facts)
    if actual is not None and not point.exact and meaning.is_rounded(amount, actual):
        return unsupported("value", f"it is rounded too far: the record has {told(point)}")
    return contradicted("value", f"the record has {told(point)} on {point.day}", point.facts)


def other_day(points: Sequence[Point], amount: Amount) -> Outcome:
    """Nothing is recorded at the time that is named."""
    others = [each for each in points if says(amount, each)]
    if others:
        return contradicted("date", f"the record has this value on {others[-1].day}", others[-1].facts)
    return unsupported("date", NO_TIME)
