"""How events stand to each other: how far apart, which came first, what was done for which problem."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.comparing import dosing, events, meaning, prescriptions
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.reading.dates import Interval
from grounding.reading.nodes import Node

_MOST, _MOST_DAYS = 4, 366
_DAILY = (1, "")


def apart(node: Node, record: Record) -> list[Outcome]:
    """So long between two events."""
    first, second = _pair(node, record)
    length = node.all("duration")[0]
    beyond = length.says("atleast") or any(part.text in _BEYOND for part in node.parts)
    distances = {
        abs((_day(other) - _day(one)).days): (one, other) for one in first for other in second if one is not other
    }
    fitting = [pair for days, pair in distances.items() if _is_so_long(days, length, beyond=bool(beyond))]
    if fitting:
        return [supported("interval", fitting[0])]
    if len(distances) == 1:
        ((days, pair),) = distances.items()
        return [contradicted("interval", f"the record has {days} days between them", pair)]
    return [unsupported("interval", "which occasions are meant is not clear")]


_BEYOND = frozenset(("more", "over", "least", "exceeding"))


def _is_so_long(actual: int, length: Node, *, beyond: bool) -> bool:
    told = meaning.days(length)
    if beyond:
        return told <= actual + 1 and actual <= told * 1.5 + 31
    return abs(actual - told) <= meaning.slack_of(length)


def followed(node: Node, record: Record) -> list[Outcome]:
    """One event after another, and by how much where that is told."""
    first, second = _pair(node, record)
    pairs = [(one, other) for one in first for other in second if _day(one) < _day(other)]
    lengths = node.all("duration")
    near = [pair for pair in pairs if not lengths or _fits(pair, lengths[0])]
    if near and (lengths or len(pairs) == len(first) * len(second)):
        return [supported("order", near[0])]
    if pairs:
        return [unsupported("order", "which occasions are meant is not clear")]
    return [contradicted("order", "the record has them in the other order", (*first[:1], *second[:1]))]


def together(node: Node, record: Record) -> list[Outcome]:
    """Two events of one day, or of one visit."""
    spans = events.spans_of(node.all("on"), record)
    undated = replace(node, roles={**node.roles, "on": ()})
    pairs = [(one, other) for first, second in [_pair(undated, record)] for one in first for other in second]
    same = [pair for pair in pairs if _day(pair[0]) == _day(pair[1]) or events.belongs(*pair)]
    fitting = [pair for pair in same if all(events.is_in(one, span) for one in pair for span in spans)]
    if fitting:
        return [supported("date", fitting[-1])]
    return [unsupported("date", "the record does not have them together")]


def daily(node: Node, record: Record) -> list[Outcome]:
    """On each of the days from one to another."""
    spans = events.spans_of(node.all("on"), record)
    days = {day for span in spans if span.lasting for day in _each_day(span.readings)}
    if not days or [dosing.how_often(each) for each in node.all("frequency")] != [_DAILY]:
        raise UnclearError("on which days")
    return [_daily(one, days, record) for part in node.all("what") for one in events.each(part)]


def _daily(one: Node, days: set[date], record: Record) -> Outcome:
    happened = events.occasions(one, record)
    right = [fact for fact in happened.facts if all(each.holds for each in happened.details(fact))]
    on_them = [fact for fact in right if facts.starts_on(fact) in days]
    if {facts.starts_on(fact) for fact in on_them} == days:
        return supported("date", on_them)
    return unsupported("date", "the record does not have it on each of these days")


def _each_day(readings: Iterable[Interval]) -> Iterator[date]:
    for first, last in readings:
        yield from (first + timedelta(each) for each in range(min((last - first).days, _MOST_DAYS) + 1))


def exchanged(node: Node, record: Record) -> list[Outcome]:
    """What was put in, taken out again or replaced: the procedure on the same thing."""
    deed = node.says("deed")
    named = [one for role in ("acts", "what") for part in node.all(role) for one in events.each(part)]
    things = [_thing(facts.name_of(fact)) for one in named for fact in events.occasions(one, record).facts]
    done = [fact for fact in record.of_kind(pb.FACT_KIND_PROCEDURE) if _is_deed(facts.name_of(fact), deed, things)]
    return events.of(node, events.Occasions(tuple(done)), "", record)


def _thing(name: str) -> frozenset[str]:
    """`intrauterine device` of `Insertion of intrauterine contraceptive device`."""
    _, of, thing = name.lower().partition(" of ")
    return frozenset(thing.split()) if of else frozenset()


def _is_deed(name: str, deed: str, things: Iterable[frozenset[str]]) -> bool:
    own = _thing(name.removesuffix(" (procedure)"))
    whole = [thing - {"(procedure)"} for thing in things]
    return name.lower().startswith(deed) and any(thing and (thing <= own or own <= thing) for thing in whole)


def _fits(pair: tuple[ClinicalFact, ClinicalFact], length: Node) -> bool:
    return _is_so_long((_day(pair[1]) - _day(pair[0])).days, length, beyond=bool(length.says("atleast")))


def _pair(node: Node, record: Record) -> tuple[Sequence[ClinicalFact], Sequence[ClinicalFact]]:
    """The occasions of the two events that are named, each at the time beside it."""
    named = [one for role in ("what", "second") for each in node.all(role) for one in _singly(each)]
    if len(named) != 2:
        raise UnclearError("which two events are meant")
    whens = node.all("on")
    first, second = (_occasions(one, [when for when in whens if _is_beside(when, one, named)], record) for one in named)
    if not first or not second:
        raise UnclearError("when each of them was")
    return first, second


def _singly(node: Node) -> list[Node]:
    return [node] if "ordered" in node.kinds else events.each(node)


def _is_beside(when: Node, one: Node, named: Sequence[Node]) -> bool:
    """Whether a time stands behind this event and before the next."""
    behind = [other for other in named if other.start > one.start]
    return when.start > one.start and all(when.start < other.start for other in behind)


def _occasions(one: Node, whens: Sequence[Node], record: Record) -> Sequence[ClinicalFact]:
    target = one.all("what")[0] if "ordered" in one.kinds else one
    own = [*whens, *(target.all("when"))]
    happened = events.occasions(target, record)
    fitting = [fact for fact in happened.fitting(events.spans_of(own, record)) if facts.starts_on(fact)]
    days = sorted({_day(fact) for fact in fitting})
    if "ordered" in one.kinds:
        chosen = days[-1:] if one.says("order") == "last" else days[:1]
        fitting = [fact for fact in fitting if _day(fact) in chosen]
    if len({_day(fact) for fact in fitting}) > _MOST:
        raise UnclearError("which occasion is meant")
    return fitting


def _day(fact: ClinicalFact) -> date:
    day = facts.starts_on(fact)
    if day is None:
        raise UnclearError("when it was")
    return day


def done_for(node: Node, record: Record) -> list[Outcome]:
    """What was done for a problem: at the visit, or on the day, at which the record has the problem."""
    spans = events.spans_of((*node.all("first"), *node.all("on"), *node.all("when")), record)
    visits = events.occasions(node.all("at")[0], record).fitting(spans) if node.all("at") else None
    named = (*node.all("conditions"), *node.all("observed"))
    acts = [one for part in (*node.all("acts"), *node.all("what")) for one in events.each(part)]
    return [
        _for(act, _entries(problem, visits, record), spans, record)
        for part in named
        for problem in events.each(part)
        for act in acts
    ]


def _entries(problem: Node, visits: Sequence[ClinicalFact] | None, record: Record) -> Sequence[ClinicalFact]:
    """The entries of a problem, of these visits where some are named."""
    entries = events.occasions(problem, record).facts
    if visits is None:
        return entries
    return [fact for fact in entries if any(events.belongs(fact, visit) for visit in visits)]


def _for(act: Node, entries: Sequence[ClinicalFact], spans: Sequence[meaning.Span], record: Record) -> Outcome:
    happened = events.occasions(act, record)
    if not happened.facts or not entries:
        return unsupported("event", "the record has no such entry")
    fitting = [
        (fact, entry)
        for fact in happened.facts
        for entry in entries
        if (_is_for(fact, entry) or _is_new_at(fact, entry, record))
        and all(events.is_in(fact, span) or events.is_in(entry, span) for span in spans)
    ]
    if fitting:
        return supported("relation", fitting[-1])
    return unsupported("relation", "the record does not say what it was for")


def _is_new_at(act: ClinicalFact, problem: ClinicalFact, record: Record) -> bool:
    """Whether the problem was the one that was new at the visit of what was done."""
    new = prescriptions.new_at(act, record)
    return problem in new and all(facts.ends_on(fact) == facts.ends_on(problem) for fact in new)


def _is_for(act: ClinicalFact, problem: ClinicalFact) -> bool:
    """The same visit or the day on which the problem began."""
    same = bool(act.encounter_id) and act.encounter_id == problem.encounter_id
    return same or facts.starts_on(act) == facts.starts_on(problem)
