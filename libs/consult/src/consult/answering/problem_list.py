"""The problems that a physician would list: what goes on, and no circumstance, reminder or matter of the teeth.

Guarantee: what passes by itself is no problem of a list (`data/passing.tsv`), and none is listed twice.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from importlib.resources import files

from grounding import facts
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import families, tables

from consult.answering.finding import Group
from consult.context.relevance import terms


def listed(groups: Iterable[Group], today: date) -> list[Group]:
    """Problems that go on, the newest first."""
    own = [group for group in groups if group.kind == pb.FACT_KIND_PROBLEM and _is_listed(group, today)]
    own = [group for group in own if not any(_says_more(other, group) for other in own)]
    return sorted(own, key=lambda group: -facts.in_time(group.newest)[0])


def active(groups: Iterable[Group], today: date) -> list[ClinicalFact]:
    """The same, each by its first entry that goes on."""
    return [_first(group, today) for group in listed(groups, today)]


def _first(group: Group, today: date) -> ClinicalFact:
    """The first entry that goes on and has a day, else the newest."""
    going_on = [each for each in group.entries if not facts.has_ended(each, today)]
    return next((each for each in going_on if facts.starts_on(each)), going_on[-1])


def belongs_on_a_list(fact: ClinicalFact) -> bool:
    """Whether it is a problem at all, and no circumstance, reminder or matter of the teeth."""
    return _days_on_a_list(fact) != 0


def _is_listed(group: Group, today: date) -> bool:
    newest = group.newest
    if facts.is_absent(newest) or facts.is_family_history(newest) or not group.goes_on(today):
        return False
    days = _days_on_a_list(newest)
    since = facts.known_since(newest)
    return days is None or (days > 0 and since is not None and (today - since.date()).days <= days)


def _days_on_a_list(fact: ClinicalFact) -> int | None:
    """How long it stands on a list where nobody stated an end; None where it stays: also where it belongs to a family
    that stays beside one that passes, as osteoporosis with a fracture does.
    """
    days = {row["problem"]: int(row["days"]) for row in _rows_of(fact) if row["days"]}
    by_name = [each for problem, each in days.items() if problem not in families.known()]
    own = names.families_among(names.keys_of(fact))
    by_family = list(days.values()) if own and days.keys() >= set(own) else []
    return min((*by_name, *by_family), default=None)


def _rows_of(fact: ClinicalFact) -> Iterator[tables.Row]:
    """The rows of `passing.tsv` that speak of it, by family or by name."""
    name, own = facts.name_of(fact).casefold(), names.families_among(names.keys_of(fact))
    return (row for row in _passing() if row["problem"] in own or _is_named(row["problem"], name))


def _is_named(problem: str, name: str) -> bool:
    return name.startswith(problem[:-1]) if problem.endswith("*") else name == problem


@cache
def _passing() -> tuple[tables.Row, ...]:
    rows = tables.read("passing", ("problem", "days", "replaced", "once"), files("consult.answering") / "data")
    tables.index(rows, "problem")
    return rows


def _says_more(other: Group, group: Group) -> bool:
    """Whether another problem says all that this one does: a part of it, or what came of it."""
    if other is group:
        return False
    own, wider = _families(group), _families(other)
    if any(each in wider for row in _rows_of(group.newest) for each in row.several("replaced")):
        return True
    if _is_same(group, other):
        return (facts.in_time(other.entries[0]), other.newest.fact_id) < (
            facts.in_time(group.entries[0]),
            group.newest.fact_id,
        )
    name, longer = facts.name_of(group.newest).casefold(), facts.name_of(other.newest).casefold()
    if name.startswith("history of "):
        return bool(own & wider) and not longer.startswith("history of ")
    return terms(name) < terms(longer) and "due to" not in longer and bool(own & wider)


def _is_same(group: Group, other: Group) -> bool:
    """Whether both are entries of one problem by two names."""
    own = _families(group)
    whole = (
        frozenset(each.id for each in families.with_wider([row["problem"]]))
        for row in _rows_of(group.newest)
        if row["once"]
    )
    return own == _families(other) and own in whole


def _families(group: Group) -> frozenset[str]:
    return frozenset(each.id for each in families.with_wider(names.families_among(group.keys)))
