"""Times and circumstances that stand beside a clause: on a day, during an illness, after a procedure.

Guarantee: what they say is compared with the clause, whatever its kind; a kind that has no time does not take one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.claims import Verdict
from grounding.comparing import events
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome
from grounding.comparing.record import Record
from grounding.reading.dates import Interval
from grounding.reading.grammar import ADJUNCT, ANTECEDENT
from grounding.reading.nodes import Node

# Kinds of clauses that compare a time, and the role that it has in them.
_ROLES = {"event": "on"}
TIMED = frozenset(
    ("admitted", "allergy", "answered", "bounded", "counted", "course", "discharged", "dose-changed", "event",
     "finding", "given", "household", "judged", "kept-between", "listed", "measured", "never", "no-allergy",
     "no-finding", "none-taken", "not-ordered", "not-taken", "on-list", "person", "problem", "ranged",
     "repeated", "replaced", "resolved", "social", "staged", "started", "stay", "stopped", "stopped-for", "takes",
     "took", "treated", "valued-condition")
)  # fmt: skip
_CIRCUMSTANCE = "circumstance"
# An illness that lasts longer says little about when something happened during it.
_LONGEST = timedelta(days=366)
# How long after an event what follows it is still told as after it.
_SOON = timedelta(days=31)


def compared(clause: Node, record: Record, compare: Callable[[Node, Record], list[Outcome]]) -> list[Outcome]:
    """What the record says of a clause at the times and in the circumstances beside it.

    UnclearError where the clause has no time. What does not fit a circumstance is unsupported, not contradicted: other
    occasions may be meant.
    """
    beside = clause.all(ADJUNCT)
    if not beside:
        return compare(_after(clause, record), record)
    if clause.kind not in TIMED or (clause.kind == "course" and clause.all("value")):
        raise UnclearError("what is said to be at that time")
    outcomes = compare(_after(_told(clause, record), record), record)
    return [_unsure(each) for each in outcomes] if any(_CIRCUMSTANCE in each.kinds for each in beside) else outcomes


def _told(clause: Node, record: Record) -> Node:
    """A clause with what stands beside it as its own times."""
    role = _ROLES.get(clause.kind, "when")
    whens = {each: _as_when(each, record) for each in clause.all(ADJUNCT)}
    parts = tuple(whens.get(part, part) for part in clause.parts)
    roles = {**clause.roles, role: (*clause.all(role), *whens.values()), ADJUNCT: ()}
    return replace(clause, parts=parts, roles=roles)


def _after(clause: Node, record: Record) -> Node:
    """A clause whose antecedent has its times."""
    before = clause.all(ANTECEDENT)
    if not before:
        return clause
    return replace(
        clause, roles={**clause.roles, ANTECEDENT: tuple(_after(_told(each, record), record) for each in before)}
    )


def _unsure(outcome: Outcome) -> Outcome:
    return outcome._replace(verdict=Verdict.UNSUPPORTED) if outcome.verdict is Verdict.CONTRADICTED else outcome


def _as_when(node: Node, record: Record) -> Node:
    if _CIRCUMSTANCE not in node.kinds:
        return node
    occasions = [
        fact
        for what in node.all("what")
        for fact in events.occasions(what, record).fitting(events.spans_of(node.all("when"), record))
    ]
    readings = tuple(filter(None, (_reading(node.says("time"), *_days(fact)) for fact in occasions)))
    if not readings:
        raise UnclearError("which occasion is meant")
    return replace(node, kinds=frozenset({"when"}), value=Span("on", readings))


def _days(fact: ClinicalFact) -> tuple[date | None, date | None]:
    return facts.starts_on(fact), facts.ends_on(fact)


def _reading(relation: str, start: date | None, end: date | None) -> Interval | None:
    if start is None:
        return None
    match relation:
        case "during":
            last = end or start
            return (start, last) if last - start <= _LONGEST else None
        case "after":
            return start, (end or start) + _SOON
        case "before":
            return start - _SOON, start
    return start, start
