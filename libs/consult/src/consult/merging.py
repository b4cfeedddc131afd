"""Merge: rules first, then the model; nobody says again what is there already."""

import re
from collections.abc import Iterable, Sequence

from grounding import Rendered
from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.drafting import Drafted

_NUMBER = re.compile(r"\d[\d.\-]*\d|\d")
# Statements of these kinds over the same facts can still say different things.
_BY_NAME = frozenset(
    {
        wire.STATEMENT_KIND_ABSENCE,
        wire.STATEMENT_KIND_ALERT,
        wire.STATEMENT_KIND_CALCULATION,
        wire.STATEMENT_KIND_QUESTION,
    }
)


def merge(rules: Sequence[Drafted], model: Iterable[Drafted] = ()) -> list[Drafted]:
    """The rules' statements, then those of the model that say something else than what is there already."""
    merged = list(_without_repetitions([], rules))
    merged += _without_repetitions(merged, model)
    return merged


def _without_repetitions(before: Sequence[Drafted], new: Iterable[Drafted]) -> Iterable[Drafted]:
    there = list(before)
    for one in new:
        if not any(_repeats(one, other) for other in there):
            there.append(one)
            yield one


def _repeats(new: Drafted, old: Drafted) -> bool:
    """The same text, the same kind over facts that were covered, or a quotation that was shown."""
    one, other = new.rendered, old.rendered
    if one.text == other.text:
        return True
    if one.statement.kind == wire.STATEMENT_KIND_EVIDENCE:
        return bool(one.statement.passage_ids) and set(one.statement.passage_ids) <= set(other.statement.passage_ids)
    if one.statement.kind == wire.STATEMENT_KIND_LATEST:
        return _covers(other, one)
    if one.statement.kind != other.statement.kind or not one.statement.fact_ids:
        return False
    if one.statement.kind in _BY_NAME:
        return False
    return set(one.statement.fact_ids) <= set(other.statement.fact_ids)


def _covers(other: Rendered, one: Rendered) -> bool:
    """Whether a statement over the same fact shows its value and day already."""
    numbers = _NUMBER.findall(one.text)
    return set(one.statement.fact_ids) <= set(other.statement.fact_ids) and all(each in other.text for each in numbers)
