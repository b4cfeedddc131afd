"""What the parts of an assertion mean: amounts, spans of time, names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from grounding import facts
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading.dates import Interval
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

_NONE: Keys = frozenset()
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25, "night": 1.0,
         "hour": 1 / 24, "minute": 1 / 1440, "yr": 365.25,
         "mo": 30.44, "wk": 7.0}  # fmt: skip
_LEAST_DIGITS = 2
# Within this share an amount that is told with "about" is right.
ABOUT = Decimal("0.05")
# Feet and inches are told to the inch.
_INCH, _INCHES = "in", Decimal("0.5")
_ABOUT_WORDS = frozenset(
    {"about", "around", "approximately", "approx", "roughly", "circa", "ca", "~", "≈", "nearly", "almost", "some",
     "just", "close", "little", "slightly", "shy", "region", "order", "bit"}
)  # fmt: skip
_OVER, _UNDER = frozenset(("over", "above")), frozenset(("under", "below", "shy", "nearly", "almost", "short"))


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
        """Whether a day is one of those that are meant; what is before or after some days is none of them."""
        if day is None:
            return False
        match self.relation:
            case "before":
                return any(day < first for first, _ in self.readings)
            case "after":
                return any(day > last for _, last in self.readings)
        return any(first <= day <= last for first, last in self.readings)

    def meets(self, start: date, end: date) -> bool:
        """Whether what lasted from one day to another was there at some of the days that are meant."""
        match self.relation:
            case "before":
                return self.includes(start)
            case "after":
                return self.includes(end)
        return any(start <= last and first <= end for first, last in self.readings)


class UnclearError(ValueError):
    """What a part means cannot be told. The text says which."""


def keys(node: Node, *kinds: str) -> Keys:
    """The keys of the names of these kinds in a node."""
    if node.kinds & set(kinds) and isinstance(node.value, frozenset):
        return node.value
    return _NONE.union(*(keys(part, *kinds) for part in node.parts)) if node.parts else _NONE


def tally(number: Node) -> int:
    """How many are told; UnclearError for a value with a unit or decimals, and for a bound (`at least nine`)."""
    said = amount(number)
    is_bound = "bound" in number.kinds and not number.text.startswith("over ")
    if said.unit or said.decimals or is_bound:
        raise UnclearError("how many are meant")
    return int(said.value)


def amount(node: Node) -> Amount:
    """The number of a value."""
    if isinstance(node.value, Amount):
        return node.value
    for part in node.parts:
        if isinstance(part.value, Amount):
            return part.value
    inner = node.one("value")
    if inner is not None:
        return amount(inner)
    raise UnclearError("no number")


def is_about(node: Node) -> bool:
    return any(part.text in _ABOUT_WORDS for part in node.parts)


def side_of(node: Node) -> int:
    """On which side of the number that is told the value lies: 1 for `just over`, -1 for `just under`."""
    words = {part.text for part in node.parts if not part.kinds}
    return 1 if words & _OVER else -1 if words & _UNDER else 0


def agrees(written: Amount, actual: Decimal, *, about: bool = False, cited: bool = False) -> bool:
    """Whether an amount says this value: its own digits decide how far it is rounded, with at least two of them. Where
    nothing is cited one is enough behind the point (`0.3`), or if it is as near as two would be.
    """
    if written.value == actual:
        return True
    slack = _INCHES if written.unit == _INCH else abs(actual) * ABOUT
    if about and abs(written.value - actual) <= slack:
        return True
    if not is_rounded(written, actual):
        return False
    digits = len(written.value.as_tuple().digits)
    near = abs(written.value - actual) <= abs(actual) * ABOUT
    return digits >= _LEAST_DIGITS or (not cited and (near or bool(written.decimals and written.value)))


def is_rounded(written: Amount, actual: Decimal) -> bool:
    """Whether an amount is this value, rounded however far."""
    return actual.quantize(Decimal(1).scaleb(-written.decimals), ROUND_HALF_UP) == written.value


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
    if node.says("time") == "both-until":
        last = (replace(span, relation="until") for span in spans(node.all("second")[0], record))
        return [*spans(node.all("first")[0], record), *last]
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
    try:
        day = last.first.replace(day=int(amount(node.all("first")[0]).value))
    except ValueError as error:
        raise UnclearError("which day is meant") from error
    return Span("between", ((day, last.last),), ends=(((day, day),), last.readings), lasting=True)


def _ago(node: Node, record: Record) -> Span:
    return _around(record.today, -days(node.all("duration")[0]))


def distant(known: Interval, length: Node, sign: int) -> Interval:
    """The days that are so long after (or before) a day: as exactly as the unit of the length is told."""
    distance, slack = days(length) * sign, slack_of(length)
    first, last = known
    return first + timedelta(round(distance - slack)), last + timedelta(round(distance + slack))


def unit_of(known: Interval, unit: str) -> Interval:
    """The day, month or year in which something was."""
    first, last = known
    if unit == "year":
        return date(first.year, 1, 1), date(last.year, 12, 31)
    if unit == "month":
        return first.replace(day=1), _months(last.year, last.month, 1)[1]
    if unit == "week":
        monday = first - timedelta(first.weekday())
        return monday, last + timedelta(6 - last.weekday())
    return known


def next_unit(known: Interval, unit: str, sign: int) -> Interval:
    """The following (or the preceding) day, week, month or year: the calendar's, or so long after."""
    calendar = unit_of(known, unit)
    if unit == "day":
        return known[0] + timedelta(sign), known[1] + timedelta(sign)
    beyond = (calendar[1] if sign > 0 else calendar[0]) + timedelta(sign)
    return unit_of((beyond, beyond), unit)


def slack_of(length: Node) -> float:
    """By how many days a length may differ that is told in this unit; roughly told, by some more."""
    told = length.one("of") or length
    few, many = _SLACK.get(_told_unit(told), (0.0, 0.0))
    slack = few if days(told) < _FEW * _DAYS[_told_unit(told)] else many
    rough = told is not length and bool(length.says("about"))
    return max(slack * 1.25, days(length) * _ROUGH, 1.0) if rough else slack


def _told_unit(length: Node) -> str:
    if length.value is not None:
        return str(length.value.unit)
    words = [part.text.rstrip("s") for part in length.parts]
    return length.says("unit") or next((word for word in reversed(words) if word in _DAYS), "day")


def _aged(node: Node, record: Record) -> Span:
    return aged(node.all("age")[0], record)


def _before_age(node: Node, record: Record) -> Span:
    ((begins, _),) = aged(node.all("age")[0], record).readings
    return Span("before", ((begins, begins),))


def aged(age: Node, record: Record) -> Span:
    """The days on which the patient had this age."""
    years = days(age) / _DAYS["year"] if "duration" in age.kinds else float(amount(age).value)
    first = int(years)
    if abs(years - first) > _WHOLE and abs(years - first - 1) > _WHOLE:
        if "duration" not in age.kinds:
            raise UnclearError("which age is meant")
        born = _birth(record)
        return Span("on", (distant((born, born), age, 1),))
    first = round(years)
    begins, ends = _between_ages(record, first, first + 1)
    # At one or two a child is so old some weeks before its birthday.
    return Span("on", ((begins - timedelta(45 * (1 <= first <= _SMALL)), ends),))


def _young(node: Node, record: Record) -> Span:
    """In childhood, as a teenager: between two ages."""
    return Span("on", (_between_ages(record, int(node.says("from")), int(node.says("to")) + 1),))


def _newborn(_: Node, record: Record) -> Span:
    born = _birth(record)
    return Span("on", ((born, born + timedelta(_NEW)),))


def _in_decade(node: Node, record: Record) -> Span:
    """In the twenties of the patient's life."""
    first, last = ages(node)
    return Span("on", (_between_ages(record, first, last + 1),))


def _since_decade(node: Node, record: Record) -> Span:
    return replace(_in_decade(node, record), relation="since")


def ages(decade: Node) -> tuple[int, int]:
    """The first and the last age of `late fifties`."""
    words = [part.text for part in decade.parts]
    first = next(_DECADES[word] for word in words if word in _DECADES)
    low, high = next((_THIRDS[word] for word in words if word in _THIRDS), (0, 9))
    return first + low, first + high


def _before_visit(node: Node, record: Record) -> Span:
    """In the month before a stay or a visit."""
    ((day, _),) = _anchor(node.all("anchor")[0], record)
    return Span("on", ((day - timedelta(31), day - timedelta(1)),))


def _before_home(node: Node, _: Record) -> Span:
    """Before going home on a day: on it, or in the weeks before it."""
    readings = node.all("date")[0].value.readings
    return Span("on", tuple((first - timedelta(_STAY), last) for first, last in readings))


def _between_ages(record: Record, first: int, last: int) -> Interval:
    born = _birth(record)
    return _anniversary(born, first), _anniversary(born, last) - timedelta(1)


def _birth(record: Record) -> date:
    born, _ = record.whole.born
    if born is None:
        raise UnclearError("the age at that time")
    return born


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _part(node: Node, _: Record) -> Span:
    """`In early 2007`, `at the end of May 2007`."""
    shares = _PARTS[node.says("part")]
    return Span("on", tuple(_share(each, *shares) for each in node.all("date")[0].value.readings))


def _share(interval: Interval, low: float, high: float) -> Interval:
    first, last = interval
    length = (last - first).days
    return first + timedelta(int(length * low)), first + timedelta(round(length * high))


def _season(node: Node, _: Record) -> Span:
    """`In the spring of 2007`; a winter belongs to both of its years."""
    years = {first.year for first, _ in node.all("date")[0].value.readings}
    months = _SEASONS[node.says("season")]
    return Span("on", tuple(_months(year + late, *months) for year in years for late in _winters(months)))


def _winters(months: tuple[int, int]) -> tuple[int, ...]:
    return (-1, 0) if sum(months) > _LAST_MONTH + 1 else (0,)


def _months(year: int, first: int, number: int) -> Interval:
    behind = first + number - 1
    return date(year, first, 1), date(year + behind // 12, behind % 12 + 1, 1) - timedelta(1)


def _decade(node: Node, _: Record) -> Span:
    """`In the nineties`."""
    first = int(node.says("year"))
    return Span("on", (_share((date(first, 1, 1), date(first + 9, 12, 31)), *_PARTS[node.says("part")]),))


def _during_anchor(node: Node, record: Record) -> Span:
    """From the first to the last day of a stay or a visit."""
    return visit(node.all("anchor")[0], record)


def visit(anchor: Node, record: Record) -> Span:
    """The days of a stay or a visit that is named by its day."""
    return Span("on", _anchor(anchor, record, whole=True))


def _in_stay(_: Node, record: Record) -> Span:
    """While in hospital: the days of the only stay."""
    if len(record.stays) != 1:
        raise UnclearError("which stay is meant")
    first = facts.starts_on(record.stays[0])
    if first is None:
        raise UnclearError("when the stay was")
    return Span("on", ((first, facts.ends_on(record.stays[0]) or first),))


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


# By how many days a length may differ that is told in a unit: one of it, and several.
_SLACK = {"week": (3.0, 3.0), "wk": (3.0, 3.0), "month": (10.0, 15.0), "mo": (10.0, 15.0), "year": (110.0, 165.0),
          "yr": (110.0, 165.0)}  # fmt: skip
_FEW, _ROUGH = 1.9, 0.07
_SMALL = 2
_STAY, _NEW = 31, 45
_WHOLE = 0.01
_LAST_MONTH = 12
_DECADES = {"teens": 10, "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
            "eighties": 80, "nineties": 90}  # fmt: skip
_THIRDS = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}
_PARTS = {"": (0.0, 1.0), "early": (0.0, 0.4), "mid": (0.25, 0.75), "late": (0.6, 1.0)}
# The first month of each and how many it has.
_SEASONS = {"spring": (3, 4), "summer": (6, 4), "autumn": (9, 4), "winter": (12, 4)}
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
    "age": _aged,
    "before-age": _before_age,
    "newborn": _newborn,
    "young": _young,
    "decade-of-life": _in_decade,
    "since-decade": _since_decade,
    "before-home": _before_home,
    "before-visit": _before_visit,
    "part": _part,
    "season": _season,
    "decade": _decade,
    "during-anchor": _during_anchor,
    "in-stay": _in_stay,
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


def _anchor(node: Node, record: Record, *, whole: bool = False) -> tuple[Interval, ...]:
    """The day of an admission, a discharge or a visit of the record; `whole`: until its last day."""
    stays, visits = record.stays, record.encounters
    match node.says("event"):
        case "admission" | "stay":
            possible = [(facts.starts_on(fact), facts.ends_on(fact)) for fact in stays]
        case "discharge":
            possible = [(facts.ends_on(fact), None) for fact in stays if facts.ends_on(fact)]
        case "first-visit":
            possible = [(facts.starts_on(fact), facts.ends_on(fact)) for fact in visits[:1]]
        case "last-visit":
            possible = [(facts.starts_on(fact), facts.ends_on(fact)) for fact in visits[-1:]]
        case _:
            possible = [(facts.starts_on(fact), facts.ends_on(fact)) for fact in visits]
    known = [(first, last or first) for first, last in possible if first]
    dated = node.all("date")
    if dated:
        known = [(first, last) for first, last in known if dated[0].value.includes(first)]
    if not known or (node.says("event") == "stay" and not dated and len(known) > 1):
        raise UnclearError("which visit is meant")
    first, last = known[-1]
    return ((first, last if whole else first),)
