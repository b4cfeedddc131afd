"""What the parts of an assertion mean: amounts, spans of time, names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading.dates import Interval
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

_NONE: Keys = frozenset()
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25, "hour": 1 / 24, "minute": 1 / 1440}
_LEAST_DIGITS = 2
# Within this share an amount that is told with "about" is right.
ABOUT = Decimal("0.05")
_ABOUT_WORDS = frozenset(
    {"about", "around", "approximately", "approx", "roughly", "circa", "ca", "~", "≈", "nearly", "almost", "some"}
)


@dataclass(frozen=True, slots=True)
class Span:
    """When: `relation` is on, since, until, between, span (so long), past (the last so long), now, before or after.

    `readings` are the days that are meant.
    """

    relation: str
    readings: tuple[Interval, ...] = ()
    length: float = 0.0
    # Of a time between two dates: what each of them may mean.
    ends: tuple[tuple[Interval, ...], ...] = ()
    # `from A to B`, and not at some time between them.
    lasting: bool = False

    def is_from_to(self, start: date | None, end: date | None) -> bool:
        """Whether what began and ended on these days took exactly this time, as far as its dates say."""
        days = (start, end)
        return bool(self.ends) and all(
            day is not None and any(first <= day <= last for first, last in meant)
            for day, meant in zip(days, self.ends, strict=True)
        )

    def includes(self, day: date | None) -> bool:
        return day is not None and any(first <= day <= last for first, last in self.readings)


class UnclearError(ValueError):
    """What a part means cannot be told. The text says which."""


def keys(node: Node, *kinds: str) -> Keys:
    """The keys of the names of these kinds in a node."""
    if node.kinds & set(kinds) and isinstance(node.value, frozenset):
        return node.value
    return _NONE.union(*(keys(part, *kinds) for part in node.parts)) if node.parts else _NONE


def amount(node: Node) -> Amount:
    """The number of a value."""
    if isinstance(node.value, Amount):
        return node.value
    for part in node.parts:
        if isinstance(part.value, Amount):
            return part.value
    raise UnclearError("no number")


def is_about(node: Node) -> bool:
    return any(part.text in _ABOUT_WORDS for part in node.parts)


def agrees(written: Amount, actual: Decimal, *, about: bool = False) -> bool:
    """Whether an amount says this value: its own digits decide how far it is rounded, with at least two of them."""
    if written.value == actual:
        return True
    if about and abs(written.value - actual) <= abs(actual) * ABOUT:
        return True
    step = Decimal(1).scaleb(-written.decimals)
    rounded = actual.quantize(step, ROUND_HALF_UP)
    return rounded == written.value and len(rounded.as_tuple().digits) >= _LEAST_DIGITS


def days(node: Node) -> float:
    """The length of a duration in days."""
    if node.value is not None:
        return float(node.value.value) * _DAYS[node.value.unit]
    inner = node.one("of")
    if inner is not None:
        return days(inner)
    number = node.one("number")
    count = float(amount(number).value) if number else float(node.says("number") or 1)
    count += 0.5 if node.says("half") else 0
    unit = node.says("unit") or next(
        (part.text.rstrip("s") for part in reversed(node.parts) if part.text.rstrip("s") in _DAYS), ""
    )
    if not unit:
        raise UnclearError("a length of time")
    return count * _DAYS[unit]


def count(times: Node) -> int:
    """How often `twice`, `nine times` say."""
    return int(times.says("number") or amount(times).value)


def spans(node: Node, record: Record) -> list[Span]:
    """The spans of time that a `when` names. UnclearError where one cannot be told."""
    if isinstance(node.value, Span):
        return [node.value]
    if not node.kinds:
        return [Span("on", ((record.today, record.today),)) if node.text == "today" else Span("now")]
    if node.says("time") == "both":
        return [*spans(node.all("first")[0], record), *spans(node.all("second")[0], record)]
    inner = node.one("of")
    if inner is not None:
        return [*spans(inner, record), *_dated(node)]
    return [_span(node, record)]


def _dated(node: Node) -> list[Span]:
    return [Span("on", each.value.readings) for each in node.all("date")]


def _span(node: Node, record: Record) -> Span:
    kind, dated = node.says("time"), node.all("date")
    if kind in _DATED and dated:
        return Span(kind, dated[0].value.readings)
    if kind not in _SPANS:
        raise UnclearError("which time is meant")
    return _SPANS[kind](node, record)


def _since(node: Node, record: Record) -> Span:
    return Span("since", _anchor(node.all("anchor")[0], record))


def _between(node: Node, _: Record) -> Span:
    first, last = node.all("first")[0].value, node.all("last")[0].value
    lasting = node.parts[0].text != "between"
    return Span("between", ((first.first, last.last),), ends=(first.readings, last.readings), lasting=lasting)


def _days_between(node: Node, _: Record) -> Span:
    """`from 2 to 9 October 2024`."""
    last = node.all("last")[0].value
    day = last.first.replace(day=int(amount(node.all("first")[0]).value))
    return Span("between", ((day, last.last),), ends=(((day, day),), last.readings), lasting=True)


def _ago(node: Node, record: Record) -> Span:
    return _around(record.today, -days(node.all("duration")[0]))


def _from_anchor(node: Node, record: Record) -> Span:
    """So long before or after a visit or a day."""
    sign = -1 if node.says("time") == "before-anchor" else 1
    anchors, dated = node.all("anchor"), node.all("date")
    known = _anchor(anchors[0], record) if anchors else dated[0].value.readings
    return _around(known[0][0], sign * days(node.all("duration")[0]))


def _so_long(node: Node, _: Record) -> Span:
    past = {part.text for part in node.parts} & {"past", "last", "preceding", "previous"}
    return Span("past" if past else "span", (), days(node.all("duration")[0]))


def _at(node: Node, record: Record) -> Span:
    anchor = _anchor(node.all("anchor")[0], record)
    dated = node.all("date")
    if dated and not any(dated[0].value.includes(first) for first, _ in anchor):
        raise UnclearError("which visit is meant")
    return Span("on", anchor)


def _now(_: Node, __: Record) -> Span:
    return Span("now")


def _yesterday(_: Node, record: Record) -> Span:
    day = record.today - timedelta(1)
    return Span("on", ((day, day),))


def _last_unit(node: Node, record: Record) -> Span:
    return Span("on", _last(_unit(node), record.today))


def _this_unit(node: Node, record: Record) -> Span:
    return Span("on", ((record.today - timedelta(_DAYS[_unit(node)]), record.today),))


def _unit(node: Node) -> str:
    return next(part.text for part in node.parts if part.text in _DAYS)


_DATED = frozenset(("on", "since", "until", "before", "after"))
_SPANS: Mapping[str, Callable[[Node, Record], Span]] = {
    "since": _since,
    "between": _between,
    "days-between": _days_between,
    "ago": _ago,
    "before-anchor": _from_anchor,
    "after-anchor": _from_anchor,
    "span": _so_long,
    "at": _at,
    "now": _now,
    "yesterday": _yesterday,
    "last-unit": _last_unit,
    "this-unit": _this_unit,
}


def _last(unit: str, today: date) -> tuple[Interval, ...]:
    if unit == "year":
        return ((date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)), (today - timedelta(365), today))
    if unit == "month":
        end = today.replace(day=1) - timedelta(1)
        return ((end.replace(day=1), end), (today - timedelta(31), today))
    raise UnclearError("which week is meant")


def _around(day: date, distance: float) -> Span:
    """A day so far from another: as exactly as a person counts."""
    middle, slack = day + timedelta(distance), max(1.0, abs(distance) * 0.1)
    return Span("on", ((middle - timedelta(slack), middle + timedelta(slack)),))


def _anchor(node: Node, record: Record) -> tuple[Interval, ...]:
    """The day of an admission, a discharge or a visit of the record."""
    stays, visits = record.stays, record.encounters
    match node.says("event"):
        case "admission":
            possible = [fact.valid_from for fact in stays]
        case "discharge":
            possible = [fact.valid_to for fact in stays if fact.HasField("valid_to")]
        case "first-visit":
            possible = [fact.valid_from for fact in visits[:1]]
        case "last-visit":
            possible = [fact.valid_from for fact in visits[-1:]]
        case _:
            possible = [fact.valid_from for fact in visits]
    found = [stamp.ToDatetime().date() for stamp in possible if stamp.seconds]
    dated = node.all("date")
    if dated:
        found = [day for day in found if dated[0].value.includes(day)]
    if not found:
        raise UnclearError("which visit is meant")
    return ((found[-1], found[-1]),)
