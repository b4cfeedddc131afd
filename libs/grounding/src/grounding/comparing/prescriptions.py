"""Orders over time: ended, off the list on a day, repeated, changed, replaced, and what they were for.

Guarantee: what is said of one order in two clauses (`started in June and stopped in July`) is true of the same order.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, units

from grounding import facts
from grounding.comparing import drugs, meaning, problems
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names
from grounding.reading.grammar import ANTECEDENT
from grounding.reading.nodes import Node

# Clauses that say of one order when it began or was in force.
_OF_ONE_ORDER = frozenset(("started", "took", "given", "treated"))
_DAY = timedelta(1)
# Which of the orders of a drug is meant.
_PLACES = frozenset(("first", "last"))
_NO_ORDER = "the record has no such order of that time"
_GOES_ON = "the record says that it goes on"


def spans_of(node: Node, record: Record, role: str = "when") -> list[Span]:
    """The times of a clause; `by June` is a time up to which something was so."""
    return [
        replace(span, relation="by") if "by" in when.text.lower().split() else span
        for when in node.all(role)
        for span in meaning.spans(when, record)
    ]


def meant(node: Node, regimen: Node, record: Record) -> list[ClinicalFact]:
    """The orders that a clause may mean: those of which its antecedent is true as well."""
    issued = spans_of(node, record, "issued")
    orders = [
        fact
        for fact in drugs.orders_of(regimen, record)
        if all(span.includes(_ordered_on(fact, record)) for span in issued)
    ]
    before = node.one(ANTECEDENT)
    if before is None or before.kind not in _OF_ONE_ORDER:
        return orders
    spans = spans_of(before, record)
    return [fact for fact in meant(before, regimen, record) if _is_as_told(fact, before, regimen, spans, record)]


def _is_as_told(fact: ClinicalFact, clause: Node, regimen: Node, spans: Sequence[Span], record: Record) -> bool:
    if not all(each.holds for each in drugs.details_of(regimen, fact)):
        return False
    if clause.kind == "started":
        return all(_is_ordered_in(fact, span, record) for span in spans)
    return all(drugs.is_held(fact, span, record) for span in spans)


def started(node: Node, record: Record) -> list[Outcome]:
    """Began, or was ordered, on a day; for the first or the last time, or again, where that is said."""
    spans = spans_of(node, record)
    ends = spans_of(node, record, "end")
    return [each for regimen in drugs.regimens(node) for each in _started(node, regimen, spans, ends, record)]


def added(node: Node, record: Record) -> list[Outcome]:
    """Begun or ordered beside another drug, which was taken then."""
    others = replace(node, roles={**node.roles, "regimens": node.all("with")})
    return [*started(replace(node, sets={"ordered": "yes"}), record), *drugs.took(others, record)]


def _started(node: Node, regimen: Node, spans: Sequence[Span], ends: Sequence[Span], record: Record) -> list[Outcome]:
    orders = drugs.orders_of(regimen, record)
    if not orders:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    pool = list(orders) if node.says("ordered") else _first_orders(orders)
    fitting = [fact for fact in pool if all(_is_ordered_in(fact, span, record) for span in spans)]
    fitting = [fact for fact in fitting if all(_ends(fact, span) for span in ends if span.readings)]
    if not fitting:
        return [contradicted("date", drugs.when_of(pool[-1]), pool[-1:])]
    placed = _placed(node.says("order"), regimen, orders, fitting)
    return [*drugs.details(regimen, fitting), *placed, *reasons(node, fitting, record)]


def _is_ordered_in(fact: ClinicalFact, span: Span, record: Record) -> bool:
    """Ordered at that time; `from A to B` and `for two weeks` are how long."""
    if span.lasting or span.relation in ("span", "until"):
        return drugs.is_held(fact, span, record)
    return not span.readings or _began(_ordered_on(fact, record), span)


def _began(day: date | None, span: Span) -> bool:
    if span.relation in ("after", "before", "by") and day is not None:
        first, last = min(each for each, _ in span.readings), max(each for _, each in span.readings)
        return {"after": day > last, "before": day < first, "by": day <= last}[span.relation]
    return span.includes(day)


def _placed(
    order: str, regimen: Node, orders: Sequence[ClinicalFact], fitting: Sequence[ClinicalFact]
) -> list[Outcome]:
    """Whether one of the orders that fit is the first, the last, or not the first of all that are as is said."""
    if not order:
        return []
    alike = [fact for fact in orders if all(each.holds for each in drugs.details_of(regimen, fact))]
    days = sorted(day for fact in alike if (day := facts.starts_on(fact)))
    own = [day for fact in fitting if fact in alike and (day := facts.starts_on(fact))]
    if not days or not own:
        return [unsupported("order", "the record does not date it")]
    right = {"first": min(own) == days[0], "last": max(own) == days[-1], "again": max(own) > days[0]}[order]
    told = f"the record has orders from {days[0]} to {days[-1]}"
    return [supported("order", fitting) if right else contradicted("order", told, fitting)]


def _first_orders(orders: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """Those before which the drug was not ordered: a renewal starts nothing."""
    kept: list[ClinicalFact] = []
    for fact in orders:
        before = [each for each in orders if facts.in_time(each) < facts.in_time(fact)]
        start = facts.starts_on(fact)
        running = [each for each in before if not (facts.ends_on(each) and start and facts.ends_on(each) < start)]  # type: ignore[operator]
        if not running:
            kept.append(fact)
    return kept


def _ordered_on(fact: ClinicalFact, record: Record) -> date | None:
    return facts.starts_on(fact) or record.sources.stated_on(fact)


def took(node: Node, record: Record) -> list[Outcome]:
    """Was taken or given at some time, for what is said, and not any more where that is said; `is used`: now."""
    if not node.all("when") and {"is", "are"} & {part.text for part in node.parts}:
        return drugs.takes(node, record)
    every = drugs.regimens(node)
    over = [each for regimen in every for each in _off(regimen, [], record)] if node.says("over") else []
    return [*over, *drugs.took(node, record), *_reasons_of_time(node, record)]


def _reasons_of_time(node: Node, record: Record) -> list[Outcome]:
    if not node.all("reason"):
        return []
    spans = spans_of(node, record)
    fitting = [
        fact
        for regimen in drugs.regimens(node)
        for fact in drugs.orders_of(regimen, record)
        if all(drugs.is_held(fact, span, record) for span in spans)
    ]
    return reasons(node, fitting, record)


def stopped(node: Node, record: Record) -> list[Outcome]:
    """Ended, on the day that is said, and not renewed on that day; without a day, not in force any more."""
    spans = [*spans_of(node, record), *spans_of(node, record, "end")]
    return [each for regimen in drugs.regimens(node) for each in _stopped(node, regimen, spans, record)]


def _stopped(node: Node, regimen: Node, spans: Sequence[Span], record: Record) -> list[Outcome]:
    every = drugs.orders_of(regimen, record)
    if not any(span.readings for span in spans) and not _is_timed(node):
        orders = meant(node, regimen, record)
        lacking = [unsupported("date", _NO_ORDER)] if node.all("issued") and not orders else []
        return [*lacking, *_off(regimen, [], record), *_details(regimen, orders)]
    over = [fact for fact in meant(node, regimen, record) if drugs.is_over(fact, record)]
    fitting = [fact for fact in over if all(_ends(fact, span) for span in spans if span.readings)]
    fitting = [fact for fact in fitting if _lasted_so(fact, node)]
    last = [fact for fact in fitting if not _is_renewed(fact, every)]
    if last:
        return [*drugs.details(regimen, last), *_which(node, regimen, every, last)]
    if not every:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    if fitting and not any(
        facts.name_of(fitting[-1]) == facts.name_of(other) for other in every if other not in fitting
    ):
        return [unsupported("status", _GOES_ON)]
    if fitting or not over:
        return [contradicted("status", _GOES_ON, every[-1:])]
    return [contradicted("date", drugs.when_of(over[-1]), over[-1:])]


def _is_timed(node: Node) -> bool:
    """Whether it tells how long after its start an order ended."""
    return bool(node.says("length") or node.all("after"))


def _lasted_so(fact: ClinicalFact, node: Node) -> bool:
    """Whether an order ended on the day of its start, or so long after it, as is said."""
    if not _is_timed(node):
        return True
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    lengths = node.all("after")
    slack = max((meaning.slack_of(each) for each in lengths), default=0.0)
    wanted = meaning.days(lengths[0]) if lengths else 0.0
    return start is not None and end is not None and abs((end - start).days - wanted) <= slack


def _details(regimen: Node, orders: Sequence[ClinicalFact]) -> list[Outcome]:
    return drugs.details(regimen, orders) if orders else []


def _ends(fact: ClinicalFact, span: Span) -> bool:
    end = facts.ends_on(fact)
    if end is None:
        return False
    first, last = min(each for each, _ in span.readings), max(each for _, each in span.readings)
    match span.relation:
        case "by":
            return end <= last
        case "before":
            return end < first
        case "after":
            return end > last
    return span.includes(end)


def _is_renewed(fact: ClinicalFact, orders: Sequence[ClinicalFact]) -> bool:
    """Whether another order of the drug goes on where this one ends."""
    end = facts.ends_on(fact)
    return end is not None and any(_runs(other, end + _DAY) and _runs(other, end) for other in orders)


def _runs(fact: ClinicalFact, day: date) -> bool:
    """Whether an order was in force on a day, as far as the record says; on the day of its end it is not."""
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    if start is not None and start > day:
        return False
    return end > day if end is not None else not facts.has_ended(fact)


def off(node: Node, record: Record) -> list[Outcome]:
    """Not taken now, or not on a day, although it was before."""
    spans = spans_of(node, record)
    return [each for regimen in drugs.regimens(node) for each in _off(regimen, spans, record)]


def _off(regimen: Node, spans: Sequence[Span], record: Record) -> list[Outcome]:
    orders = drugs.orders_of(regimen, record)
    if not orders:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    if any(span.relation not in ("on", "by", "now", "since") for span in spans):
        return [unsupported("date", "since when it is over is not clear")]
    days = [max(last for _, last in span.readings) for span in spans if span.readings]
    day = min([*days, record.today])
    begun = [fact for fact in orders if (facts.starts_on(fact) or day) <= day]
    running = [fact for fact in begun if _runs(fact, day)]
    if running:
        return [contradicted("status", f"the record has {facts.name_of(running[-1])}", running[-1:])]
    if any(span.relation == "since" for span in spans):
        return _over_since(begun, spans, record)
    return [supported("status", begun[-1:]) if begun else unsupported("date", drugs.NOT_TAKEN)]


def _over_since(orders: Sequence[ClinicalFact], spans: Sequence[Span], record: Record) -> list[Outcome]:
    ends = [end for fact in orders if (end := facts.ends_on(fact))]
    right = bool(ends) and all(span.includes(max(ends)) for span in spans if span.readings)
    running = [fact for fact in orders if _runs(fact, record.today)]
    if right and not running:
        return [supported("date", orders[-1:])]
    return [contradicted("date", drugs.when_of(orders[-1]), orders[-1:])]


def on_list(node: Node, record: Record) -> list[Outcome]:
    """On the list of medications: now, on a day, or since the day of the first order."""
    spans = spans_of(node, record)
    since = [span for span in spans if span.relation == "since"]
    if not since:
        past = any(span.relation == "on" for span in spans) and not node.says("now")
        return drugs.took(node, record) if past else drugs.takes(node, record)
    return [each for regimen in drugs.regimens(node) for each in _listed_since(regimen, since, record)]


def _listed_since(regimen: Node, spans: Sequence[Span], record: Record) -> list[Outcome]:
    orders = drugs.orders_of(regimen, record)
    current = [fact for fact in orders if drugs.is_current(fact, record)]
    alike = [fact for fact in orders if all(each.holds for each in drugs.details_of(regimen, fact))]
    started = next((day for fact in alike if (day := facts.starts_on(fact))), None)
    if not current:
        return [contradicted("status", drugs.when_of(orders[-1]), orders[-1:])] if orders else [
            unsupported("drug", drugs.NOT_TAKEN)]  # fmt: skip
    if all(span.includes(started) for span in spans):
        return drugs.details(regimen, current)
    return [contradicted("date", drugs.when_of(current[-1]), current[-1:])]


def courses(node: Node, record: Record) -> list[Outcome]:
    """`Twice: from April 2011 to May 2012 and again from June 2015 to July 2016`: each, and no other one."""
    times = [[span] for when in node.all("each") for one in (when.all("when") or (when,))
             for span in meaning.spans(one, record)]  # fmt: skip
    said = meaning.count(node.all("times")[0]) if node.all("times") else len(times)
    return [each for regimen in drugs.regimens(node) for each in _courses(regimen, times, said, record)]


def _courses(regimen: Node, times: Sequence[Sequence[Span]], number: int, record: Record) -> list[Outcome]:
    orders = drugs.orders_of(regimen, record)
    if not orders:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    for spans in times:
        if not any(all(drugs.is_held(fact, span, record) for span in spans) for fact in orders):
            return [contradicted("date", drugs.when_of(orders[-1]), orders[-1:])]
    actual = len({facts.starts_on(fact) for fact in orders})
    if number == len(times) == actual:
        return drugs.details(regimen, orders)
    return [contradicted("count", f"the record has {actual}", orders[-1:])]


def reasons(node: Node, orders: Sequence[ClinicalFact], record: Record) -> list[Outcome]:
    """What orders were for: the problem that was new at their visit; else no fact says so."""
    return [
        _reason(condition, orders, record)
        for role in node.all("reason")
        for condition in (role.within("condition") if "condition" not in role.kinds else (role,))
    ] or [unsupported("relation", "the record does not say what it was for") for _ in node.all("reason")[:1]]


def _reason(condition: Node, orders: Sequence[ClinicalFact], record: Record) -> Outcome:
    entries = {fact.fact_id for fact in problems.present(condition, record)}
    for order in orders:
        meant = new_at(order, record)
        if not _are_one_illness(meant):
            given = _given_for(order) & problems.problem_keys(condition)
            treated = record.whole.of(_given_for(order), pb.FACT_KIND_PROBLEM) if given else ()
            meant = [fact for fact in meant if fact in treated]
        named = [fact for fact in meant if fact.fact_id in entries]
        if named and _are_one_illness(meant):
            return supported("relation", [order, named[0]])
    return unsupported("relation", "the record does not say what it was for")


def _are_one_illness(new: Sequence[ClinicalFact]) -> bool:
    """Whether problems that began together also ended together."""
    ends = {facts.ends_on(fact) for fact in new}
    return len(new) == 1 or (len(ends) == 1 and None not in ends)


def _given_for(order: ClinicalFact) -> Keys:
    """The families of problems for which a drug is given (`terminology.areas`)."""
    given = (area for area in areas.known().values() if areas.is_given_for(area, facts.about(order)))
    return names.of_families(tuple(each for area in given for each in area.problems))


def new_at(order: ClinicalFact, record: Record) -> list[ClinicalFact]:
    """The disorders that were new at the visit of an order."""
    day = facts.starts_on(order)
    entries = record.whole.of_kind(pb.FACT_KIND_PROBLEM) if day else ()
    own = [fact for fact in entries if not facts.is_absent(fact) and _is_disorder(fact)]
    on_it = [fact for fact in own if facts.starts_on(fact) == day]
    return on_it or [fact for fact in own if day and problems.is_first_seen(fact, day, record)]


def _is_disorder(fact: ClinicalFact) -> bool:
    return not any(each.display.endswith(("(finding)", "(situation)")) for each in (fact.code, fact.source_code))


def _which(node: Node, regimen: Node, every: Sequence[ClinicalFact], ended: Sequence[ClinicalFact]) -> list[Outcome]:
    """`The last prescription ended`: whether it was the last."""
    orders = [each.says("order") for each in node.all("ordered") if each.says("order") in _PLACES]
    return [one for order in orders for one in _placed(order, regimen, every, ended)]


def sequence(node: Node, record: Record) -> list[Outcome]:
    """Drugs in the order in which each was first ordered."""
    named = [
        one for role in ("first", "second", "regimens") for each in node.all(role) for one in each.within("regimen")
    ]
    starts = [
        next((day for fact in drugs.orders_of(one, record) if (day := facts.starts_on(fact))), None) for one in named
    ]
    if len(named) > 1 and all(starts) and all(one < two for one, two in pairwise(filter(None, starts))):
        return [each for one in named for each in drugs.details(one, drugs.orders_of(one, record))]
    return [unsupported("order", "the record does not have them in this order")]


def stopped_for(node: Node, record: Record) -> list[Outcome]:
    """Stopped for a reason: no entry says which."""
    return [*stopped(node, record), unsupported("relation", "no entry and no text says why")]


def dose_changed(node: Node, record: Record) -> list[Outcome]:
    """The dose of the order before, and that of the one that follows it."""
    spans = spans_of(node, record)
    return [each for regimen in drugs.regimens(node) for each in [_dose_changed(node, regimen, spans, record)]]


def _dose_changed(node: Node, regimen: Node, spans: Sequence[Span], record: Record) -> Outcome:
    orders = [fact for fact in drugs.orders_of(regimen, record) if facts.dosages(fact) and facts.starts_on(fact)]
    for before, after in pairwise(orders):
        began = facts.starts_on(after)
        if all(span.includes(began) for span in spans if span.readings) and _is_change(node, before, after):
            return supported("dose", [before, after])
    if not orders:
        return unsupported("drug", drugs.NOT_TAKEN)
    return unsupported("dose", "the record has no such change of its dose")


def _is_change(node: Node, before: ClinicalFact, after: ClinicalFact) -> bool:
    old, new = facts.dosages(before)[0].dose, facts.dosages(after)[0].dose
    lower, higher = facts.number(old), facts.number(new)
    converted = None if higher is None else units.convert(higher, units.printed(new.unit), units.printed(old.unit))
    if lower is None or converted is None or lower == converted:
        return False
    if (converted > lower) != (node.says("direction") == "up"):
        return False
    return all(drugs.is_dose(each, before) for each in node.all("from")) and all(
        drugs.is_dose(each, after) for each in node.all("to")
    )


def replaced(node: Node, record: Record) -> list[Outcome]:
    """One drug of a class ended on the day on which another one began."""
    spans = spans_of(node, record)
    olds, news = node.all("old"), node.all("new")
    pairs = [(old, new) for one in olds for old in one.within("regimen") for two in news
             for new in two.within("regimen")]  # fmt: skip
    return [_replaced(old, new, spans, record) for old, new in pairs] or [unsupported("drug", drugs.NOT_TAKEN)]


def _replaced(old: Node, new: Node, spans: Sequence[Span], record: Record) -> Outcome:
    for ended in drugs.orders_of(old, record):
        for begun in drugs.orders_of(new, record):
            day = facts.starts_on(begun)
            alike = set(facts.about(ended).classes) & set(facts.about(begun).classes)
            told = all(each.holds for each in (*drugs.details_of(old, ended), *drugs.details_of(new, begun)))
            dated = all(span.includes(day) for span in spans if span.readings)
            if alike and told and dated and day is not None and day == facts.ends_on(ended):
                return supported("relation", [ended, begun])
    return unsupported("relation", "the record does not say that one took the place of the other")


def none_taken(node: Node, record: Record) -> list[Outcome]:
    """That nothing is taken: every order is over, or was on that day."""
    orders = record.of_kind(pb.FACT_KIND_MEDICATION)
    days = [max(last for _, last in span.readings) for span in spans_of(node, record) if span.readings]
    day = min([*days, record.today])
    running = [fact for fact in orders if _runs(fact, day) and (facts.starts_on(fact) or day) <= day]
    if running:
        return [contradicted("count", f"the record has {facts.name_of(running[-1])}", running[-1:])]
    if orders and not record.cited:
        return [supported("count", orders[-1:])]
    return [unsupported("count", "the record does not say that nothing is taken")]


def not_ordered(node: Node, record: Record) -> list[Outcome]:
    """That no order of a drug was given, or none since a day: a search of the whole record."""
    spans = [span for span in spans_of(node, record) if span.readings]
    return [each for regimen in drugs.regimens(node) for each in [_not_ordered(regimen, spans, record)]]


def _not_ordered(regimen: Node, spans: Sequence[Span], record: Record) -> Outcome:
    orders = drugs.orders_of(regimen, record)
    within = [fact for fact in orders if all(_is_since(_ordered_on(fact, record), span) for span in spans)]
    if within:
        return contradicted("negation", drugs.when_of(within[-1]), within[-1:])
    if orders and not record.cited:
        return supported("negation", orders[-1:])
    return unsupported("negation", "nothing in the record denies it")


def _is_since(day: date | None, span: Span) -> bool:
    if day is None:
        return True
    last = max(each for _, each in span.readings)
    return day > last if span.relation == "since" else _began(day, span)
