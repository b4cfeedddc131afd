"""Times and circumstances that stand beside a clause: on a day, during an illness, after a procedure.

Guarantee: what they say is compared with the clause, whatever its kind; a kind that has no time does not take one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.claims import Verdict
from grounding.comparing import events, meaning, problems, tallies
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome
from grounding.comparing.record import Record
from grounding.reading.dates import Interval
from grounding.reading.grammar import ADJUNCT, AIM, ANTECEDENT, LEAD
from grounding.reading.nodes import Node

# Kinds of clauses that compare a time, and the role that it has in them.
_ROLES = dict.fromkeys(
    ("tested", "attended", "began", "done-for", "elided", "event", "exchanged", "lasted", "together"), "on"
)
TIMED = frozenset(
    ("added", "admitted", "allergy", "always", "answered", "attended", "began", "bounded", "care-plan", "counted",
     "course", "discharged", "done-for", "dose-changed", "elided", "event", "exchanged", "extreme", "extreme-rank",
     "extreme-when", "finding", "given", "household", "judged", "kept-between", "lasted", "listed", "measured",
     "never", "no-allergy", "no-finding", "none-taken", "not-ordered", "not-taken", "nothing-ordered", "on-list",
     "person", "pressures", "problem", "problem-lasted", "ranged", "ranked", "rated", "replaced", "resolved",
     "social", "sometimes", "staged", "started", "stay", "stopped", "stopped-for", "takes", "tested", "together",
     "took", "treated", "treated-for", "unrecorded", "valued-condition")
)  # fmt: skip
# Kinds that are true of several days if they are of each of them (`was above 160 in both 2017 and 2020`).
_ON_EACH = frozenset(("bounded", "judged", "rated", "sometimes"))
Compare = Callable[[Node, Record], list[Outcome]]
_CIRCUMSTANCE = "circumstance"
# What stands beside a clause and tells more of its result: of how many values, and what it was before.
_ASIDES = frozenset(("tally", "past"))
# What changes drugs, so that `on B` behind it is not what is taken.
_CHANGING = frozenset(("started", "stopped", "took", "not-taken", "replaced", "stopped-for", "given", "dose-changed"))
# The parts of a clause that may be times.
_TIMES = (LEAD, "first", "on", "when", ADJUNCT)
_END = "end"
# Clauses whose day is that of their end.
_ENDING = frozenset(("resolved", "resolved-from", "stopped"))
# The times of the ends of a course and of the two sides of a comparison, and what values stand in.
_ENDS = ("second", "fromat", "toat", "earlyat", "length")
_VALUED = frozenset(("results", "result"))
# What the clauses that follow were for; the kinds that compare a reason.
PURPOSE = "purpose"
_GIVEN = frozenset(("started", "took", "given", "treated"))
# A visit of which no subject is told (`Headache in May 2020, seen in the ED`) is of the day before it.
_SEEN = frozenset(("seen", "treated", "evaluated", "examined", "attended", "presented", "reviewed"))
_FOR_REASONS = frozenset(("started", "took", "given"))
# What is said to be so now, or last, is not of another day.
_PRESENT = frozenset(("is", "are", "now", "currently", "today", "latest", "last", "newest", "recent"))
_PRESENTED = frozenset(("presented", "came", "attended", "seen", "consulted", "examined", "treated", "reviewed"))
# `Appendectomy in May 2020, age 39`.
_AGED = frozenset(("age", "aged"))
# Times that are told from another.
_RELATIVE = frozenset(("since-then", "later", "earlier", "soon", "same", "later-same", "next", "former"))
# What may be one thing or several.
_LISTS = frozenset(("conditions", "regimens"))
# What is told to be the highest at a time may be so of that time only.
_PLACED = frozenset(("extreme-rank", "ranked"))
# Kinds of what goes on for some time.
_STANDING = frozenset(("active", "problem", "takes"))
# An illness that lasts longer says little about when something happened during it.
_LONGEST = timedelta(days=366)
# More occasions than these leave open which of them is meant.
_MOST = 4
# How long after an event what follows it is still told as after it.
_SOON = timedelta(days=31)
# What happens at its own time may be longer after it.
_LATER = timedelta(days=3653)
_HAPPENING = frozenset(("admitted", "attended", "began", "done-for", "event", "started", "stopped"))


def compared(clause: Node, record: Record, compare: Callable[[Node, Record], list[Outcome]]) -> list[Outcome]:
    """What the record says of a clause at the times and in the circumstances beside it.

    UnclearError where the clause has no time. What does not fit a circumstance is unsupported, not contradicted: other
    occasions may be meant.
    """
    settled = _settled(clause, record)
    if settled is not clause:
        return [unsure(each) for each in compared(settled, record, compare)]
    beside = _beside(clause)
    if not beside:
        return compare(_after(clause, record), record)
    asides = [each for each in beside if each.kinds & _ASIDES]
    if asides:
        untold = _without(clause, asides)
        return [*compared(untold, record, compare), *(tallies.beside(each, untold, record) for each in asides)]
    days = [each for each in beside if "days" in each.kinds]
    if days and clause.kind in _ON_EACH:
        untold, whens = _without(clause, days), [when for each in days for when in each.within("when")]
        each_day = (replace(untold, roles={**untold.roles, ADJUNCT: (*untold.all(ADJUNCT), when)}) for when in whens)
        return [outcome for one in each_day for outcome in compared(one, record, compare)]
    if days or clause.kind not in TIMED or (clause.kind == "course" and clause.all("value")):
        raise UnclearError("what is said to be at that time")
    at_once = _told(clause, record)
    _agree(_nested(clause), at_once.all(_ROLES.get(clause.kind, "when")), record)
    outcomes = compare(_after(at_once, record), record)
    is_unsure = clause.kind in _PLACED or any(_CIRCUMSTANCE in each.kinds for each in beside)
    return [unsure(each) for each in outcomes] if is_unsure else outcomes


def _settled(clause: Node, record: Record) -> Node:
    """A clause whose own times are days where it names occasions (higher when he had A than when he had B)."""
    nodes = [each for role in ("first", "when", *_ENDS) for each in clause.all(role) if _CIRCUMSTANCE in each.kinds]
    changed = {each: _as_when(each, record, _SOON, dated=False) for each in nodes}
    lasts = [each for role in ("when", "toat", LEAD, ADJUNCT) for each in clause.all(role) if "lastn" in each.kinds]
    changed |= {each: _of_last(each, clause, record) for each in lasts}
    return _with(clause, changed) if changed else clause


def _of_last(node: Node, clause: Node, record: Record) -> Node:
    """`At the last three checks`: the days since the third last value of the result that a clause is about."""
    return replace(node, kinds=frozenset({"when"}), value=tallies.of_last(node, clause, record))


def _without(clause: Node, beside: Sequence[Node]) -> Node:
    roles = {role: tuple(each for each in clause.all(role) if each not in beside) for role in (LEAD, ADJUNCT)}
    return replace(clause, roles={**clause.roles, **roles})


def _beside(clause: Node) -> tuple[Node, ...]:
    told = clause.kind in TIMED - {"course"}
    leads = (each for each in clause.all(LEAD) if told or each.kinds & _ASIDES)
    return (*leads, *clause.all(ADJUNCT))


def _told(clause: Node, record: Record) -> Node:
    """A clause with what stands beside it as its own times."""
    role = _ROLES.get(clause.kind, "when")
    after = _LATER if clause.kind in _HAPPENING else _SOON
    beside = _beside(clause)
    dated = bool(clause.all(role)) or any(_CIRCUMSTANCE not in each.kinds for each in beside)
    whens = {each: _as_when(each, record, after, dated=dated) for each in beside}
    parts = tuple(whens.get(part, part) for part in clause.parts)
    roles = {**clause.roles, role: (*clause.all(role), *whens.values()), ADJUNCT: (), LEAD: ()}
    return replace(clause, parts=parts, roles=roles)


def _after(clause: Node, record: Record) -> Node:
    """A clause whose antecedent has its times."""
    before = clause.all(ANTECEDENT)
    if not before:
        return clause
    return replace(
        clause, roles={**clause.roles, ANTECEDENT: tuple(_after(_told(each, record), record) for each in before)}
    )


def continued(clause: Node, before: Node | None) -> Node:
    """A clause that leaves out what it is about, with what the clause before it is about, or says that it is for."""
    if before is not None and before.kind in _CHANGING and clause.kind == "takes" and clause.parts[0].text == "on":
        # `Was started on A in May and on B in June` says more of B than that it is taken.
        raise UnclearError("what is told of the drug")
    purpose = before.all(PURPOSE) if before is not None and clause.kind != PURPOSE else ()
    whole = _completed(clause, before)
    whole = _for(whole, clause.all(AIM)) if clause.all(AIM) else whole
    if not purpose:
        return whole
    if whole.kind != "elided" and not (whole.says("now") and whole.all(ANTECEDENT)):
        whole = _for(whole, purpose)
    return replace(whole, roles={**whole.roles, PURPOSE: purpose})


def _completed(clause: Node, before: Node | None) -> Node:
    if clause.kind != "elided":
        return clause
    told = [before.all(role) for role in ("what", "acts", "conditions", PURPOSE)] if before else []
    what = [node for nodes in told for node in nodes]
    what += [node for ordered in (before.all("ordered") if before else ()) for node in ordered.all("what")]
    what = what or [*before.all("reason"), *([] if before.all("reason") else before.all("regimens"))] if before else []
    if not what:
        raise UnclearError("what is told")
    return replace(clause, roles={**clause.roles, "what": tuple(what)})


def _for(clause: Node, purpose: tuple[Node, ...]) -> Node:
    """A clause with what is said that it was for (for migraine he received sumatriptan).

    UnclearError for a clause of a kind that is for nothing.
    """
    if clause.kind in _FOR_REASONS or clause.kind == "takes":
        return replace(clause, roles={**clause.roles, "reason": (*clause.all("reason"), *purpose)})
    if clause.kind == "attended":
        named = {role: tuple(each for each in purpose if each.kind == role) for role in ("conditions", "observed")}
        whole = {role: (*clause.all(role), *nodes) for role, nodes in named.items()}
        return replace(clause, roles={**clause.roles, **whole})
    if clause.kind == "event" and all(each.kind == "acts" for each in clause.all("what")) and not clause.sets:
        return replace(clause, kinds=frozenset({"done-for"}), roles={**clause.roles, "conditions": purpose})
    raise UnclearError("what it was for")


def anchored(clause: Node, days: tuple[Interval, ...], record: Record, before: Node | None = None) -> Node:
    """A clause whose relative times (two weeks later, that day) are told from the days of the clause before it.

    Days of a list are told from the one before them in the list.
    """
    known = days
    changed: dict[Node, Node] = {}
    for role, nodes in sorted(clause.roles.items(), key=lambda one: min((each.start for each in one[1]), default=0)):
        for node in nodes:
            if node.says("time") == "same-span":
                changed[node] = _same_span(node, before, record)
            elif "past" in node.kinds:
                changed[node], known = _deep(node, known, record)
            elif role in (*_TIMES, _END, *_ENDS):
                changed[node], known = _anchored(node, known, record)
            elif node.kinds & _VALUED:
                changed[node], known = _deep(node, known, record)
    told = _with(clause, changed)
    return _following(told, days, record) if clause.says("follows") else _as_told(told, days)


def _following(clause: Node, days: tuple[Interval, ...], record: Record) -> Node:
    """Values that come after, or before, those of the clause before: of its day, or of a later or an earlier one."""
    if len(days) != 1:
        raise UnclearError("what it follows")
    own = [when for part in clause.parts if part.kinds & _VALUED for when in part.within("when")]
    if not own:
        day = day_of(clause, days)
        return replace(clause, parts=(*clause.parts, day), roles={**clause.roles, "when": (day,)})
    readings = [each for span in events.spans_of(own, record) for each in span.readings]
    (begins, ends), after = days[0], clause.says("follows") == "after"
    if not readings or any(last < begins if after else first > ends for first, last in readings):
        raise UnclearError("in which order they were")
    return clause


def _with(node: Node, changed: Mapping[Node, Node]) -> Node:
    """A node with other parts in place of some, in their roles too."""
    roles = {role: tuple(changed.get(each, each) for each in nodes) for role, nodes in node.roles.items()}
    return replace(node, parts=tuple(changed.get(part, part) for part in node.parts), roles=roles)


def _deep(node: Node, known: tuple[Interval, ...], record: Record) -> tuple[Node, tuple[Interval, ...]]:
    """Values with their relative times told, each from the day that stands before it."""
    changed: dict[Node, Node] = {}
    for part in node.parts:
        if part.kinds & _VALUED:
            changed[part], known = _deep(part, known, record)
        elif "when" in part.kinds:
            changed[part], known = _anchored(part, known, record)
    return _with(node, changed), known


def _same_span(node: Node, before: Node | None, record: Record) -> Node:
    """`Over the same period`: the time that the clause before tells, from the first to the last day of it."""
    ends = [] if before is None else [*before.all("fromat"), *before.all("toat"), *before.all("when")]
    readings = [each for span in events.spans_of(ends, record) for each in span.readings]
    if not readings:
        raise UnclearError("which time is meant")
    days = min(first for first, _ in readings), max(last for _, last in readings)
    return replace(node, kinds=frozenset({"when"}), value=Span("between", (days,)))


def undated(clause: Node, days: tuple[Interval, ...]) -> Node | None:
    """A value without a time, as one of the day that the clause before it tells: diagnosed in May 2020, Hb 11.6 g/dL.

    None for every other clause: the value may as well be the newest one, as which it is compared first.
    """
    words = {word for part in clause.parts for word in part.text.lower().split()}
    if clause.kind == "person" and len(days) == 1 and words & _AGED and not any(clause.within("when")):
        return replace(clause, roles={**clause.roles, ADJUNCT: (day_of(clause, days),)})
    if clause.kind == "listed" and len(days) == 1 and not any(clause.within("when")) and not clause.all(ADJUNCT):
        return replace(clause, kinds=frozenset({"took"}), roles={**clause.roles, "when": (day_of(clause, days),)})
    if clause.kind != "measured" or len(days) != 1 or not words.isdisjoint(_PRESENT) or any(clause.within("when")):
        return None
    day = day_of(clause, days)
    return replace(clause, parts=(*clause.parts, day), roles={**clause.roles, "when": (day,)})


def _as_told(clause: Node, days: tuple[Interval, ...]) -> Node:
    """What is said to be what the clause before it tells (`her only colonoscopy`), as of the day of that."""
    if not clause.says("told"):
        return clause
    if len(days) != 1:
        raise UnclearError("which occasion is meant")
    return replace(clause, roles={**clause.roles, "on": (day_of(clause, days),)})


def day_of(clause: Node, days: tuple[Interval, ...]) -> Node:
    return Node("", clause.end, clause.end, frozenset({"when"}), value=Span("on", days))


def beside(clause: Node, days: tuple[Interval, ...]) -> Node | None:
    """What was given, without a time, as of the day that the clause before it tells; None for every other clause."""
    told = any(clause.all(role) for role in (*_TIMES, PURPOSE)) or clause.says("order")
    is_seen = clause.kind == "attended" and clause.parts[0].text in _SEEN
    if not (clause.kind in _GIVEN or is_seen or _is_deed(clause)) or len(days) != 1 or told:
        return None
    day = day_of(clause, days)
    return replace(clause, roles={**clause.roles, _ROLES.get(clause.kind, "when"): (day,)})


def _is_deed(clause: Node) -> bool:
    """`Laceration on 3 May 2020, sutured`: what was done to what stands before it."""
    return clause.kind == "event" and not any(part.kinds - {"acts"} for part in clause.parts) and all(
        each.text.endswith("ed") and " " not in each.text for each in clause.all("what")
    )  # fmt: skip


def as_of(clause: Node, following: Node, record: Record) -> Node:
    """A clause as of the day that the one behind it tells, if that is one."""
    days = told(following, (), record)
    if len(days) != 1 or any(each not in clause.all("birth") for each in clause.within("when")):
        return clause
    day = day_of(clause, days)
    return replace(clause, roles={**clause.roles, ADJUNCT: (*clause.all(ADJUNCT), day)})


def of_text(clause: Node, before: Sequence[Node]) -> Node:
    """Drugs that a letter lists, as of the letter's day."""
    origins = [origin for each in before if each.kind == "source" for origin in each.all("origin")]
    whens = [when for origin in origins for when in origin.within("when")]
    if clause.kind != "listed" or len(whens) != 1 or any(clause.within("when")) or clause.all(ADJUNCT):
        return clause
    roles = {**clause.roles, ADJUNCT: (whens[0],)}
    return replace(clause, kinds=frozenset({"takes"}), sets={"letter": "yes"}, roles=roles)


def _anchored(node: Node, known: tuple[Interval, ...], record: Record) -> tuple[Node, tuple[Interval, ...]]:
    if "days" in node.kinds:
        told, before = [], known
        for each in node.all("when"):
            # `On 19 September 2020, three years later` is one day, told from the clause before.
            replaced, known = _anchored(each, known if _is_list(node) else before, record)
            told.append(replaced)
        return replace(node, roles={**node.roles, "when": tuple(told)}), known
    if node.says("time") == "both":
        parts = [_anchored(node.all(role)[0], known, record)[0] for role in ("first", "second")]
        return replace(node, roles={"first": (parts[0],), "second": (parts[1],)}), known
    if "when" in node.kinds and node.says("time") in _RELATIVE:
        if len(known) != 1:
            raise UnclearError("which time is meant")
        if node.says("unit") == "stay":
            return replace(node, kinds=frozenset({"when"}), value=Span("on", (_stay_of(known[0], record),))), known
        relation = "since" if node.says("time") == "since-then" else "on"
        return replace(node, kinds=frozenset({"when"}), value=Span(relation, (_relative(node, known[0]),))), known
    return node, _told_days(node, record) or known


def _is_list(days: Node) -> bool:
    return any(part.text in ("and", "&") for part in days.parts)


def _stay_of(known: Interval, record: Record) -> Interval:
    """The days of the stay to which a day belongs."""
    stays = ((start, facts.ends_on(fact) or start) for fact in record.stays if (start := facts.starts_on(fact)))
    around = [(first, last) for first, last in stays if first <= known[1] and known[0] <= last]
    if len(around) != 1:
        raise UnclearError("which stay is meant")
    return around[0]


def _told_days(node: Node, record: Record) -> tuple[Interval, ...]:
    """The day that a time names; none where it is no day."""
    if "when" not in node.kinds:
        return ()
    try:
        readings = [each for span in meaning.spans(node, record) for each in span.readings]
    except UnclearError:
        return ()
    return tuple(readings) if len(readings) == 1 else ()


def _relative(node: Node, known: Interval) -> Interval:
    unit, lengths = node.says("unit"), node.all("duration")
    relative: dict[str, Callable[[], Interval]] = {
        "since-then": lambda: known,
        "later": lambda: meaning.distant(known, lengths[0], 1),
        "earlier": lambda: meaning.distant(known, lengths[0], -1),
        "soon": lambda: (known[0], known[1] + timedelta(math.ceil(meaning.days(lengths[0])))),
        "same": lambda: meaning.unit_of(known, unit),
        "later-same": lambda: (known[0], meaning.unit_of(known, unit)[1]),
        "next": lambda: meaning.next_unit(known, unit, 1),
        "former": lambda: meaning.next_unit(known, unit, -1),
    }
    return relative[node.says("time")]()


def told(clause: Node, fact_ids: tuple[str, ...], record: Record) -> tuple[Interval, ...]:
    """The days of a clause that holds: those of the facts that hold it, within the time that it names."""
    ends = clause.all(_END) if clause.kind in _ENDING else ()
    whens = clause.all("toat") or ends or tuple(node for role in _TIMES for node in clause.all(role)) or _nested(clause)
    named = [each for node in whens for each in _last_named(node, record)]
    held = {day for each in fact_ids if (day := facts.starts_on(record.sources.fact(each)))}
    fitting = {day for day in held if all(first <= day <= last for first, last in named)}
    if len(fitting) == 1:
        (day,) = fitting
        return ((day, day),)
    return tuple(named[-1:])


def stays(clause: Node, days: tuple[Interval, ...], record: Record, compare: Compare) -> bool:
    """Whether a clause without a time holds on the day that was told before it, which then goes on being told."""
    if len(days) != 1 or clause.kind not in TIMED or any(clause.all(role) for role in _TIMES) or clause.says("order"):
        return False
    day = day_of(clause, days)
    dated = replace(clause, parts=(*clause.parts, day), roles={**clause.roles, ADJUNCT: (day,)})
    return all(each.holds for each in compare(dated, record))


def _nested(clause: Node) -> tuple[Node, ...]:
    """The last of the times that stand with values."""
    return tuple(when for part in clause.parts if part.kinds & _VALUED for when in part.within("when"))[-1:]


def _agree(own: Sequence[Node], beside: Sequence[Node], record: Record) -> None:
    """UnclearError where a value has another day than what stands beside the clause tells."""
    days = [each for node in own for each in _told_days(node, record)]
    for node in beside:
        told = _told_days(node, record)
        if days and told and not any(first <= other[1] and other[0] <= last for first, last in days for other in told):
            raise UnclearError("which time is meant")


def _last_named(node: Node, record: Record) -> tuple[Interval, ...]:
    whens = node.all("when") if "days" in node.kinds else (node,)
    return _told_days(whens[-1], record)


def at(clause: Node, when: Node | None) -> Node:
    """A clause at the time that a subordinate one tells."""
    if when is None:
        return clause
    roles = {**clause.roles, ADJUNCT: (*clause.all(ADJUNCT), when)}
    return replace(clause, parts=(*clause.parts, when), roles=roles)


def related(relation: Node, clause: Node, fact_ids: Sequence[str], record: Record) -> Node | None:
    """The time that a clause which holds tells of another: when, while, before, after or since it was so.

    None where it is so at several times, or at none that the record knows.
    """
    held = {_days(record.sources.fact(each)) for each in fact_ids}
    days = set(told(clause, tuple(fact_ids), record)) or {(start, end or start) for start, end in held if start}
    if len(days) != 1:
        return None
    ((first, last),) = days
    if relation.says("time") == "during" and clause.kind in _STANDING and len(held) == 1:
        ((start, end),) = held
        first, last = start or first, end or record.today
    spans = {
        "during": Span("on", ((first, last),)),
        "at": Span("on", ((first, last),)),
        "after": Span("on", ((first, last + _SOON),)),
        "before": Span("on", ((first - _SOON, first - timedelta(1)),)),
        "since": Span("since", ((first, last),)),
    }
    return Node("", clause.start, clause.start, frozenset({"when"}), value=spans[relation.says("time")])


def unsure(outcome: Outcome) -> Outcome:
    return outcome._replace(verdict=Verdict.UNSUPPORTED) if outcome.verdict is Verdict.CONTRADICTED else outcome


def _as_when(node: Node, record: Record, after: timedelta, *, dated: bool) -> Node:
    if _CIRCUMSTANCE not in node.kinds:
        return node
    readings = tuple(
        filter(
            None, (_reading(node, after, *_days(fact), record.today) for fact in _occasions(node, record, dated=dated))
        )
    )
    if node.says("time") == "during":
        readings = _within(readings, events.spans_of(_own_times(node), record))
    readings = readings or _first_seen(node, record) or _seen_with(node, record)
    if not readings:
        raise UnclearError("which occasion is meant")
    relation = "since" if node.says("time") == "since" else "on"
    return replace(node, kinds=frozenset({"when"}), value=Span(relation, readings))


def _first_seen(node: Node, record: Record) -> tuple[Interval, ...]:
    """The day on which a problem is told to have been seen, which began some days before and was new then."""
    what, days = (
        node.all("what")[0],
        [each for span in events.spans_of(_own_times(node), record) for each in span.readings],
    )
    if node.says("time") != "at" or node.says("order") or "ordered" in what.kinds or len(days) != 1:
        return ()
    ((first, last),) = days
    new = (problems.is_first_seen(fact, first, record) for fact in events.occasions(what, record).facts)
    return ((first, last),) if first == last and any(new) else ()


def _seen_with(node: Node, record: Record) -> tuple[Interval, ...]:
    """The day on which the patient is told to have presented with a problem that was there on it."""
    days = [each for span in events.spans_of(_own_times(node), record) for each in span.readings]
    words = {part.text for part in node.parts if not part.kinds}
    if len(days) != 1 or days[0][0] != days[0][1] or words.isdisjoint(_PRESENTED):
        return ()
    day = days[0][0]
    there = (_days(fact) for fact in events.occasions(node.all("what")[0], record).facts)
    return tuple(days) if any(first and first <= day <= (last or day) for first, last in there) else ()


def _occasions(node: Node, record: Record, *, dated: bool) -> list[ClinicalFact]:
    """What is meant: of what happened often, what a day names, else all of it; at most so many.

    `dated`: what is told has a day of its own, beside which any of them may be meant.
    """
    what = node.all("what")[0]
    ordered = what if "ordered" in what.kinds else None
    target = what.all("what")[0] if ordered else what
    if target.kind in _LISTS:
        if len(events.each(target)) != 1:
            raise UnclearError("which of them is meant")
        target = events.each(target)[0]
    visits = (meaning.visit(each, record) for each in node.all("anchor"))
    spans = [*events.spans_of(_own_times(node), record), *visits]
    happened = events.occasions(target, record)
    fitting = _during(happened, spans) if node.says("time") == "during" else happened.fitting(spans)
    if node.all("at"):
        seen = events.occasions(node.all("at")[0], record).fitting(spans)
        fitting = [fact for fact in happened.facts if any(events.is_of(fact, visit, record) for visit in seen)]
    if (ordered or node).says("order") in ("second", "third"):
        raise UnclearError("which occasion is meant")
    if ordered or node.says("order"):
        days = sorted({day for fact in fitting if (day := facts.starts_on(fact))})
        chosen = days[-1:] if (ordered or node).says("order") == "last" else days[:1]
        return [fact for fact in fitting if facts.starts_on(fact) in chosen]
    if not dated and "visit" not in target.kinds and len({facts.starts_on(fact) for fact in fitting}) > _MOST:
        raise UnclearError("which occasion is meant")
    return fitting


def _own_times(node: Node) -> list[Node]:
    """When the occasion itself was; not how far from it something else was."""
    told = (one for when in node.all("when") for one in (when.all("when") if "days" in when.kinds else (when,)))
    return [when for when in told if when.kinds.isdisjoint(("within", "sameday", "neighbour"))]


def _during(happened: events.Occasions, spans: Sequence[Span]) -> list[ClinicalFact]:
    """What went on at that time, whenever it began."""
    return [fact for fact in happened.facts if all(_overlaps(fact, span) for span in spans)]


def _overlaps(fact: ClinicalFact, span: Span) -> bool:
    start, end = _days(fact)
    return start is not None and any(first <= (end or start) and start <= last for first, last in span.readings)


def _within(readings: tuple[Interval, ...], spans: Sequence[Span]) -> tuple[Interval, ...]:
    """What of these times lies in those that are told: during the pregnancy, in 2008."""
    for span in spans:
        both = ((max(one[0], other[0]), min(one[1], other[1])) for one in readings for other in span.readings)
        readings = tuple((first, last) for first, last in both if first <= last)
    return readings


def _days(fact: ClinicalFact) -> tuple[date | None, date | None]:
    return facts.starts_on(fact), facts.ends_on(fact)


def _reading(node: Node, after: timedelta, start: date | None, end: date | None, today: date) -> Interval | None:
    """The days that are meant, of an occasion on these."""
    if start is None:
        return None
    lengths = (*node.all("duration"), *(each for part in node.all("within") for each in part.all("duration")))
    if lengths:
        return _distant(node.says("time"), lengths[0], start)
    if node.all("neighbour"):
        return _relative(node.all("neighbour")[0], (start, start))
    last = end or start
    meant: dict[str, Interval | None] = {
        "during": (start, last) if last - start <= _LONGEST else None,
        "after": (start, last + after),
        "before": (start - after, start - timedelta(1)),
        "under": (start, end or today),
    }
    return meant.get(node.says("time"), (start, start))


def _distant(relation: str, length: Node, day: date) -> Interval:
    if relation == "within":
        return day, day + timedelta(math.ceil(meaning.days(length)))
    return meaning.distant((day, day), length, -1 if relation == "earlier" else 1)
