"""Drugs, procedures and plans of care that are told in one list: treated with A, an X-ray and a wound care plan.

Guarantee: what the list is said to be for, and when, is said of every part of it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from grounding import facts
from grounding.comparing import events
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, unsupported
from grounding.comparing.record import Record
from grounding.reading.grammar import ADJUNCT, ANTECEDENT, AROUND
from grounding.reading.nodes import Node

MIXED = "mixed"
_ITEMS = ("regimens", "acts", "cares", "film")
_PROBLEMS = ("conditions", "observed", "allergens")
_HEAD = ("on", "first")
# How long after its beginning a problem is seen, so that a plan of care is of it.
_SEEN = timedelta(31)


def parts(clause: Node, record: Record) -> tuple[Node, ...]:
    """An assertion for each part of a list, of each of the days that are told before it where `each` of them is meant;
    every other clause as it is.
    """
    if clause.kind != MIXED:
        return (clause,)
    days = [*_days(clause)] if clause.says("each") else []
    made = [one for item, whens in _items(clause) for one in _part(item, whens, clause, record)]
    return tuple(_on(one, day) for one in made for day in days) if days else tuple(made)


def unread(_: Node, __: Record) -> list[Outcome]:
    """A part that cannot be told from what it was for."""
    return [unsupported("relation", "the record does not say what it was for")]


def _items(clause: Node) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """The parts of the list, each with the times that stand behind it or, where none does, behind the next."""
    head = {id(each) for role in _HEAD for each in clause.all(role)}
    found: list[tuple[Node, list[Node]]] = []
    for node in clause.parts:
        if id(node) in head:
            continue
        if not node.kinds.isdisjoint(_ITEMS):
            found.append((node, []))
        elif found and "when" in node.kinds:
            found[-1][1].append(node)
    for (_, whens), (_, following) in reversed(list(pairwise(found))):
        whens.extend([] if whens else following)
    yield from ((item, tuple(whens)) for item, whens in found)


def _part(item: Node, whens: tuple[Node, ...], clause: Node, record: Record) -> Iterator[Node]:
    problems = {role: clause.all(role) for role in _PROBLEMS if clause.all(role)}
    beside = {role: clause.all(role) for role in AROUND if clause.all(role)}
    told = (*clause.all("on"), *whens)
    reasons = tuple(each for own in problems.values() for each in own)
    if "regimens" in item.kinds:
        kind = "started" if clause.says("begun") else "took"
        sets = {"ordered": "yes"} if clause.says("begun") else {}
        roles = {"regimens": (item,), "reason": reasons, "when": told, **beside}
        yield _made(clause, kind, item, told, roles, sets)
    elif "cares" in item.kinds:
        seen = tuple(_seen(each, record) for each in reasons)
        if not all(seen):
            yield clause
            return
        whole = (*told, *(each for each in seen if each))
        yield _made(clause, "care-plan", item, whole, {"what": (item,), "when": whole, **beside})
    elif clause.says("begun") and not any(events.occasions(one, record).facts for one in events.each(item)):
        # What no entry has done is a plan of care.
        for one in events.each(item):
            care = replace(one, kinds=frozenset({"care"}))
            plan = replace(item, kinds=frozenset({"cares"}), parts=(care,))
            yield _made(clause, "care-plan", plan, told, {"what": (plan,), "when": told, **beside})
    elif reasons:
        yield _made(clause, "done-for", item, told, {"acts": (item,), "on": told, **problems, **beside})
    else:
        yield _made(clause, "event", item, told, {"what": (item,), "on": told, **beside})


def _made(
    clause: Node,
    kind: str,
    item: Node,
    whens: tuple[Node, ...],
    roles: dict[str, tuple[Node, ...]],
    sets: dict[str, str] | None = None,
) -> Node:
    kept = {role: nodes for role, nodes in roles.items() if nodes}
    return replace(clause, kinds=frozenset({kind}), parts=(item, *whens), roles=kept, sets=sets or {})


def _seen(problem: Node, record: Record) -> Node | None:
    """The days on which a problem was new, as a time; None where the record has no such problem."""
    starts = [
        (start, facts.ends_on(fact))
        for one in events.each(problem)
        for fact in events.occasions(one, record).facts
        if (start := facts.starts_on(fact))
    ]
    readings = tuple((start, min(end or start + _SEEN, start + _SEEN)) for start, end in starts)
    when = frozenset({"when"})
    return Node("", problem.start, problem.end, when, value=Span("on", readings)) if readings else None


def _days(clause: Node) -> Iterator[Node]:
    """Each day of the list of days that the clause before tells."""
    for before in clause.all(ANTECEDENT):
        for role in ("on", "first", "when", ADJUNCT):
            yield from (day for each in before.all(role) for day in (each.all("when") if "days" in each.kinds else ()))


def _on(clause: Node, day: Node) -> Node:
    role = "when" if clause.kind in ("took", "started", "care-plan") else "on"
    roles = {**clause.roles, role: (*clause.all(role), day), ANTECEDENT: ()}
    return replace(clause, parts=(*clause.parts, day), roles=roles)
