"""Drugs: taken, ordered, given, stopped, with dose, how often, which way and when."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact, Dosage
from terminology import units
from terminology.drugs import is_brand

from grounding import facts
from grounding.comparing import dosing, meaning
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names, tables, tokens
from grounding.reading.nodes import Node

NOT_TAKEN = "the record has no such medication"
_PER_DAY = " per day"
_PER_PUFF = "/actuat"
_TWO = 2
# The brand in an ordered name: `... Injectable Suspension [Humulin]`.
_BRANDED = re.compile(r"\[[A-Za-z][^\[\]]*\]")
# The role of the parts of a combination.
_PARTS = "combined"
_FORMS = {
    "inj": "inject",
    "injector": "inject",
    "pill": "tablet",
    "cap": "capsule",
    "oral": "oral",
    "injectable": "inject",
}
# How an ordered name says that a drug is released slowly or late, and how texts do.
_RELEASES = {
    "extended release": frozenset({"er", "xr", "sr", "extended", "sustained", "slow"}),
    "delayed release": frozenset({"delayed", "dr"}),
}
_SALT_WORDS = frozenset(
    word for _, row in tables.rows("words/drugs", ("group", "words")) if row["group"] == "salt"
    for word in map(str.strip, row["words"].split("|"))
)  # fmt: skip
_SALTS = {"hcl": "hydrochloride", "sulphate": "sulfate"}
State = Callable[[ClinicalFact, Record], bool]


def drug_keys(node: Node) -> Keys:
    """The keys of the drugs that are named; the class in brackets behind a drug names none."""
    if not node.parts:
        return meaning.keys(node, names.DRUG, names.CLASS)
    beside = (*node.all("of"), *node.all("also"))
    return frozenset().union(*(drug_keys(part) for part in node.parts if part not in beside))


def orders_of(regimen: Node, record: Record) -> tuple[ClinicalFact, ...]:
    """Orders of a drug, of a combination those that have every part."""
    orders = _so_named(regimen, record.of(drug_keys(regimen), pb.FACT_KIND_MEDICATION))
    parts = [drug_keys(part) for part in _combined(regimen)]
    return tuple(fact for fact in orders if all(names.keys_of(fact) & keys for keys in parts))


def _so_named(regimen: Node, orders: tuple[ClinicalFact, ...]) -> tuple[ClinicalFact, ...]:
    """Where a brand is named, the orders of that brand where the record has some, and never those of another brand."""
    named = next((part.text.casefold() for part in regimen.parts if names.DRUG in part.kinds), "")
    own = tuple(fact for fact in orders if named and any(named in name.casefold() for name in facts.names(fact)))
    if not own and is_brand(named):
        return tuple(fact for fact in orders if not any(map(_BRANDED.search, facts.names(fact))))
    ingredients = [each.name.casefold() for fact in own for each in facts.about(fact).ingredients]
    return orders if not own or any(each in named or named in each for each in ingredients) else own


def _combined(regimen: Node) -> list[Node]:
    """The parts of `amoxicillin/clavulanate`; none of a drug of one name."""
    return list(regimen.all(_PARTS))


def regimens(node: Node) -> list[Node]:
    """The regimens of a clause, with how often and which way it says behind them; of `the last prescription`, the one
    that it names.
    """
    found = [inner for each in node.all("regimens") for inner in _each(each)]
    ordered = [what for each in node.all("ordered") for what in each.all("what") if "regimen" in what.kinds]
    return [_with(each, node) for each in (*found, *node.all("regimen"), *ordered)]


def _each(node: Node) -> list[Node]:
    """The regimens of a list; those with a stroke or a hyphen between them are one combination."""
    inner = list(node.within("regimen"))
    marks = {part.text for part in node.parts if not part.kinds}
    if len(inner) > 1 and marks and marks <= {"/", "-"}:
        return [replace(node, kinds=frozenset({"regimen"}), roles={_PARTS: tuple(inner)})]
    return list(_combining(node)) if "/" in marks else inner


def _combining(node: Node) -> Iterator[Node]:
    """The regimens of a list; `A/B 7.5/325` in it is a combination."""
    last: Node | None = None
    joined = False
    for part in node.parts:
        if "regimen" not in part.kinds:
            joined = part.text == "/"
        elif last is not None and joined and part.all(_PARTS):
            text = f"{last.text}/{part.text}"
            last = Node(text, last.start, part.end, frozenset({"regimen"}), (last, part), {_PARTS: (last, part)})
        else:
            if last is not None:
                yield last
            last = part
    if last is not None:
        yield last


def _with(regimen: Node, clause: Node) -> Node:
    beside = {
        role: (*regimen.all(role), *clause.all(role)) for role in ("dose", "frequency", "route") if clause.all(role)
    }
    return replace(regimen, roles={**regimen.roles, **beside}) if beside else regimen


def is_current(fact: ClinicalFact, record: Record) -> bool:
    """Taken now, as far as the record says: neither ended nor only ordered nor still to begin."""
    start = facts.starts_on(fact)
    return not facts.has_ended(fact, record.today) and not facts.is_order(fact) and not (start and start > record.today)


def is_over(fact: ClinicalFact, record: Record) -> bool:
    return facts.has_ended(fact, record.today) and not facts.is_on_hold(fact)


def is_any(_: ClinicalFact, __: Record) -> bool:
    return True


def takes(node: Node, record: Record) -> list[Outcome]:
    """What is taken now, each with all that is said of it."""
    spans = _spans(node, record)
    lasting = [span for span in spans if span.relation in ("since", "span", "between", "until")]
    return [each for one in regimens(node) for each in _taken(one, is_current, spans, lasting, record)]


def listed(node: Node, record: Record) -> list[Outcome]:
    """A regimen that stands alone is one that is taken now; with a span of time, one of that time."""
    spans = _spans(node, record)
    if any(span.relation in ("between", "until", "on") for span in spans):
        return [each for one in regimens(node) for each in _of_time(one, spans, record)]
    return takes(node, record)


def took(node: Node, record: Record) -> list[Outcome]:
    """What was taken or given at some time."""
    spans = _spans(node, record)
    return [each for one in regimens(node) for each in _of_time(one, spans, record)]


def _of_time(regimen: Node, spans: Sequence[Span], record: Record) -> list[Outcome]:
    lasting = [span for span in spans if span.relation == "since"]
    if lasting:
        return _taken(regimen, is_current, spans, lasting, record)
    orders = orders_of(regimen, record)
    fitting = [fact for fact in orders if all(_is_known_held(fact, span, orders, record) for span in spans)]
    if orders and not fitting:
        if any(facts.is_open_order(fact) and all(is_held(fact, span, record) for span in spans) for fact in orders):
            return [unsupported("date", "the record has orders, and not whether it was taken then")]
        return [contradicted("date", when_of(orders[-1]), orders[-1:])]
    if spans and regimen.all("dose") and any(map(_is_stepped, fitting)):
        return [unsupported("dose", "each of its doses has a time of its own")]
    return details(regimen, fitting)


def _is_stepped(fact: ClinicalFact) -> bool:
    """Whether its doses follow each other."""
    return len(facts.dosages(fact)) > 1 and bool(facts.dose_starts(fact))


def _taken(
    regimen: Node, state: State, spans: Sequence[Span], lasting: Sequence[Span], record: Record
) -> list[Outcome]:
    orders = orders_of(regimen, record)
    meant = [fact for fact in orders if state(fact, record)]
    if not meant:
        return [_not_in_force(orders, record)]
    for span in lasting:
        dated = [fact for fact in meant if lasts(fact, span)]
        if not dated:
            return [_not_since(meant)]
        meant = dated
    days = [span for span in spans if span.relation == "on"]
    if any(not any(is_held(fact, span, record) for fact in orders) for span in days):
        return [contradicted("date", when_of(orders[-1]), orders[-1:])]
    return details(regimen, meant)


def _not_in_force(orders: Sequence[ClinicalFact], record: Record) -> Outcome:
    over = [fact for fact in orders if is_over(fact, record)]
    if over:
        return contradicted("status", when_of(over[-1]), over[-1:])
    if orders:
        return unsupported("status", "the record says that it was ordered, and not that it is taken")
    return unsupported("drug", NOT_TAKEN)


def _not_since(orders: Sequence[ClinicalFact]) -> Outcome:
    if all(map(facts.is_open_order, orders)):
        return unsupported("date", "the record has orders, and not since when it is taken")
    return contradicted("date", when_of(orders[-1]), orders[-1:])


def lasts(fact: ClinicalFact, span: Span) -> bool:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    match span.relation:
        case "since":
            return span.includes(start) and fact.HasField("valid_to") and not facts.is_open_order(fact)
        case "until":
            return span.includes(end)
        case "between":
            return span.is_from_to(start, end)
    return start is not None and end is not None and _is_long(start, end, span)


def _is_long(start: date, end: date, span: Span) -> bool:
    return abs((end - start).days - span.length) <= max(1.0, span.length * 0.1)


def _is_known_held(fact: ClinicalFact, span: Span, orders: Sequence[ClinicalFact], record: Record) -> bool:
    """In force then; an order without an end only on its day and until the next one of its drug."""
    if not is_held(fact, span, record):
        return False
    if not facts.is_open_order(fact) or not span.readings or span.includes(facts.starts_on(fact)):
        return True
    last = max(each for _, each in span.readings)
    return any((start := facts.starts_on(other)) is not None and start >= last for other in orders)


def is_held(fact: ClinicalFact, span: Span, record: Record) -> bool:
    """Whether an order was in force in a span of time, or had the end or beginning that it names."""
    if span.relation in ("until", "span", "between"):
        return lasts(fact, span)
    start = facts.starts_on(fact)
    end = facts.ends_on(fact) or (start if facts.has_ended(fact) and fact.HasField("valid_to") else record.today)
    if not span.readings:
        return True
    return start is not None and end is not None and span.meets(start, end)


def details(regimen: Node, orders: Sequence[ClinicalFact]) -> list[Outcome]:
    """All that is said of a drug must be true of one of its orders."""
    if not orders:
        return [unsupported("drug", NOT_TAKEN)]
    tried = [(fact, details_of(regimen, fact)) for fact in reversed(orders)]
    for fact, outcomes in tried:
        if all(each.holds for each in outcomes):
            return [supported("drug", [fact]), *outcomes]
    return tried[0][1]


def details_of(regimen: Node, fact: ClinicalFact, parts: Sequence[Keys] = ()) -> list[Outcome]:
    """What is said of dose, strength, form, route, how often and how long, each held against one order.

    `parts`: the keys of the ingredients of the combination of which it is the last.
    """
    if _combined(regimen):
        named = [drug_keys(part) for part in _combined(regimen)]
        return [each for part in _combined(regimen) for each in details_of(part, fact, named)]
    outcomes = _other_names(regimen, fact) + _salts(regimen, fact)
    outcomes += [_release(fact, word) for word in _releases(regimen)]
    several = len(facts.dosages(fact)) > 1 and bool(regimen.all("dose"))
    if regimen.says("several") or several:
        return [*outcomes, dosing.compare(regimen, fact)]
    outcomes += [_of_dose(dose, regimen, fact, parts).of(dose) for dose in regimen.all("dose")]
    outcomes += [_of_pair(each, fact, parts) for each in regimen.all("strengths")]
    outcomes += [_form(form, fact) for form in regimen.all("form")]
    outcomes += [_pack(pack, fact) for pack in regimen.all("pack")]
    for frequency in regimen.all("frequency"):
        outcomes.append(_frequency(frequency, fact).of(frequency))
    for route in regimen.all("route"):
        outcomes.append(_route(route, fact).of(route))
    for duration in regimen.all("for"):
        start, end = facts.starts_on(fact), facts.ends_on(fact)
        length = meaning.days(duration)
        right = start is not None and end is not None and _is_long(start, end, Span("span", (), length))
        outcomes.append(supported("interval", [fact]) if right else contradicted("interval", when_of(fact), [fact]))
    return outcomes


def _of_dose(dose: Node, regimen: Node, fact: ClinicalFact, parts: Sequence[Keys]) -> Outcome:
    """A dose, or the strengths of two ingredients."""
    is_pair = "strength" in dose.kinds or meaning.amount(dose).unit.startswith("/")
    return _of_pair(dose, fact, parts) if is_pair else _dose(dose, fact, drug_keys(regimen))


def _other_names(regimen: Node, fact: ClinicalFact) -> list[Outcome]:
    """The class and the second name that stand beside a drug's name."""
    outcomes = []
    for named in regimen.all("of"):
        right = bool(meaning.keys(named, names.CLASS) & names.keys_of(fact))
        reason = f"{named.text} is another class"
        outcomes.append(supported("code", [fact]) if right else contradicted("code", reason, [fact]))
    for named in regimen.all("also"):
        right = bool(meaning.keys(named, names.DRUG, names.CLASS) & names.keys_of(fact))
        reason = f"whether {named.text} is the same is not known"
        outcomes.append(supported("code", [fact]) if right else unsupported("code", reason))
    return outcomes


def _dose(node: Node, fact: ClinicalFact, meant: Keys) -> Outcome:
    said = meaning.amount(node)
    stated = facts.dosages(fact)
    if not any(_is_comparable(said, each) for each in stated):
        return _strength(said, fact, meant)
    if any(_is_dosage(said, each) for each in stated):
        return supported("dose", [fact])
    reason = f"the record has {facts.printed_dose(fact)}"
    return contradicted("dose", reason, [fact])


def _is_comparable(amount: tokens.Amount, dosage: Dosage) -> bool:
    """Whether the dose of an order is of the same measure: of `1 tablet` and `5 mg` the second is a strength."""
    value, unit = facts.number(dosage.dose), units.printed(dosage.dose.unit)
    said = amount.unit.removesuffix(_PER_DAY)
    return value is not None and (not said or units.convert(value, unit, said) is not None)


def _strength(amount: tokens.Amount, fact: ClinicalFact, meant: Keys = frozenset()) -> Outcome:
    """The strength in the name under which it was ordered (`LISINOPRIL 10 MG TAB`), of the ingredient that is meant."""
    for name in facts.names(fact):
        if any(_is_same(amount, own) for own in _strengths(name, meant)):
            return supported("dose", [fact])
    stated = [own for name in facts.names(fact) for own in _strengths(name, meant)]
    if any(own.unit == amount.unit for own in stated):
        return contradicted("dose", f"the record has {facts.names(fact)[-1]}", [fact])
    return unsupported("dose", "the record states no dose")


def _is_same(amount: tokens.Amount, own: tokens.Amount) -> bool:
    return units.convert(own.value, own.unit, amount.unit or own.unit) == amount.value


def _strengths(name: str, meant: Keys, *, bare: bool = False) -> list[tokens.Amount]:
    """The amounts that stand behind the ingredient in an ordered name, up to the next one.

    `bare`: those of units that no text uses (`70 UNT/ML`) too.
    """
    found, of_it = [], False
    for token in tokens.tokens(name, date(2000, 1, 1)):
        if token.kinds & {names.DRUG, names.CLASS}:
            of_it = not meant or bool(token.value & meant)
        elif of_it and isinstance(token.value, tokens.Amount) and (bare or token.value.unit):
            found.append(token.value)
    return found


def _of_pair(dose: Node, fact: ClinicalFact, parts: Sequence[Keys]) -> Outcome:
    """The strengths of two ingredients (`250/125 mg`, `5/325`): in the order of the two where both are named."""
    inner = [each for role in (tokens.PAIR, tokens.SCORE) for each in dose.all(role)]
    value = inner[0].value if inner else dose.value
    unit = dose.parts[-1].text if "strength" in dose.kinds else ""
    pair = [value.first, value.second] if isinstance(value, tokens.Pair) else [value.value, Decimal(value.unit[1:])]
    for name in facts.names(fact):
        stated = [each for keys in parts or (frozenset(),) for each in _strengths(name, keys, bare=not unit)]
        own = [_per_unit(each, unit) for each in stated]
        if len(own) == _TWO and (own == pair if parts else sorted(filter(None, own)) == sorted(pair)):
            return supported("dose", [fact])
    return unsupported("dose", "the record states no such strengths")


def _per_unit(stated: tokens.Amount, unit: str) -> Decimal | None:
    """A strength in a unit; that of an inhaler is of one puff."""
    return units.convert(stated.value, stated.unit.removesuffix(_PER_PUFF), unit) if unit else stated.value


def _form(node: Node, fact: ClinicalFact) -> Outcome:
    """`chewable tablets`: each word of it stands in the ordered name or the dose."""
    words = {
        part.text.removesuffix("s").replace("tab", "tablet").replace("tabletlet", "tablet") for part in node.parts
    } - {"-", "."}
    own = " ".join((*facts.names(fact), facts.printed_dose(fact))).lower().replace("-", "")
    if all(_FORMS.get(word, word) in own for word in words):
        return supported("form", [fact])
    return unsupported("form", "the record does not say so")


def _salts(regimen: Node, fact: ClinicalFact) -> list[Outcome]:
    """The salt that stands behind a drug's name is one of the ordered name."""
    own = " ".join(facts.names(fact)).lower()
    said = [_SALTS.get(part.text, part.text) for part in regimen.parts if not part.kinds and part.text in _SALT_WORDS]
    return [
        supported("form", [fact]) if salt in own else unsupported("form", "the record does not say so") for salt in said
    ]


def _releases(regimen: Node) -> list[str]:
    """How the drug is released, as far as a text says so."""
    words = {part.text for part in regimen.parts if not part.kinds}
    return [name for name, spelled in _RELEASES.items() if words & spelled]


def _release(fact: ClinicalFact, word: str) -> Outcome:
    if any(word in name.lower() for name in facts.names(fact)):
        return supported("form", [fact])
    return unsupported("form", "the record does not say so")


def _pack(node: Node, fact: ClinicalFact) -> Outcome:
    words = re.findall(r"\w+", node.text.lower())
    own = [re.findall(r"\w+", name.lower()) for name in facts.names(fact)]
    stands = any(words == name[at : at + len(words)] for name in own for at in range(len(name)))
    return supported("form", [fact]) if stands else unsupported("form", "the record does not say so")


def _is_dosage(amount: tokens.Amount, dosage: Dosage) -> bool:
    value, unit = facts.number(dosage.dose), units.printed(dosage.dose.unit)
    if value is None or dosage.HasField("dose_high"):
        return False
    if amount.unit.endswith(_PER_DAY):
        return daily(dosage) == _in(amount.value, amount.unit.removesuffix(_PER_DAY), "mg")
    return units.convert(value, unit, amount.unit or unit) == amount.value


def is_dose(node: Node, fact: ClinicalFact) -> bool:
    """Whether an order has this dose, or is of this strength."""
    return _dose(node, fact, frozenset()).holds


def _in(value: object, unit: str, to: str) -> object:
    converted = units.convert(value, unit, to)  # type: ignore[arg-type]
    return None if converted is None else float(converted)


def daily(dosage: Dosage) -> float | None:
    """Milligrams a day; None without a mass, and where the record does not say how often, or says as needed."""
    value, times = facts.number(dosage.dose), dosing.per_day(dosage.frequency)
    milligrams = None if value is None else units.convert(value, units.printed(dosage.dose.unit), "mg")
    return None if milligrams is None or times is None else float(milligrams) * times


def daily_dose(node: Node, record: Record) -> list[Outcome]:
    """`2000 mg of metformin a day`: the whole of a day, or one dose once daily."""
    per = node.all("per")[0]
    is_day = meaning.days(per) == 1 if "duration" in per.kinds else dosing.how_often(per) == (1, "")
    if not is_day:
        return [unsupported("frequency", "over which time is not clear")]
    return [each for one in regimens(node) for each in _daily_dose(one, record)]


def _daily_dose(regimen: Node, record: Record) -> list[Outcome]:
    orders = [fact for fact in orders_of(regimen, record) if is_current(fact, record)]
    doses = regimen.all("dose")
    if not orders or len(doses) != 1:
        return _taken(regimen, is_current, [], [], record)
    said = meaning.amount(doses[0])
    for fact in reversed(orders):
        for dosage in facts.dosages(fact):
            if daily(dosage) is not None and daily(dosage) == _in(said.value, said.unit, "mg"):
                return [supported("dose", [fact])]
    return [contradicted("dose", f"the record has {facts.printed_dose(orders[-1])}", orders[-1:])]


def _frequency(node: Node, fact: ClinicalFact) -> Outcome:
    said = dosing.how_often(node)
    stated = [dosing.how_often_of(each.frequency) for each in facts.dosages(fact) if each.frequency]
    if not stated or None in stated:
        return unsupported("frequency", "the record does not state how often")
    if said in stated:
        return supported("frequency", [fact])
    return contradicted("frequency", f"the record has {facts.printed_dose(fact)}", [fact])


def _route(node: Node, fact: ClinicalFact) -> Outcome:
    stated = {dosing.route_of(each.route) for each in facts.dosages(fact) if each.route}
    if not stated:
        return unsupported("route", "the record states no route")
    if node.says("route") in stated:
        return supported("route", [fact])
    return contradicted("route", f"the record has {facts.printed_dose(fact)}", [fact])


def _spans(node: Node, record: Record) -> list[Span]:
    return [span for when in node.all("when") for span in meaning.spans(when, record)]


def when_of(fact: ClinicalFact) -> str:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    since = f"from {start}" if start else "without a stated start"
    return f"the record has {facts.name_of(fact)} {since}" + (f" until {end}" if end else "")


def takes_all(node: Node, record: Record) -> list[Outcome]:
    """How many medications are taken, and which: as many as are named."""
    if int(meaning.amount(node.all("n")[0]).value) != len(regimens(node)):
        return [unsupported("count", "another number of medications is named")]
    return [*count_drugs(node, record), *takes(node, record)]


def count_drugs(node: Node, record: Record) -> list[Outcome]:
    """How many medications are taken now."""
    orders = record.of_kind(pb.FACT_KIND_MEDICATION)
    taken = {facts.name_of(fact) for fact in orders if is_current(fact, record)}
    possible = {facts.name_of(fact) for fact in orders if not is_over(fact, record)}
    said = int(meaning.amount(node.all("n")[0]).value) if node.all("n") else 0
    if said == len(taken) == len(possible) and taken:
        return [supported("count", [fact for fact in orders if is_current(fact, record)])]
    if not len(taken) <= said <= len(possible):
        return [contradicted("count", f"the record has {len(taken)}", orders[-1:])]
    return [unsupported("count", "the record does not say how many are taken")]
