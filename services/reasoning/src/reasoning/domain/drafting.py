"""From statements to an assessment: render, drop repetitions, verify, decide release. Rules first, then the model.

Guarantee: every statement in the result went through the verifier and the gate, whoever made it, and carries its
claims; what cannot be rendered from its sources is not said.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.identifiers import event_id
from grounding import (
    Rendered,
    Sources,
    Statement,
    UnknownSourceError,
    UnrenderableError,
    Verified,
    Verifier,
    decide,
    render,
)
from grounding.formula import CalculationError
from longitude.reasoning.v1 import assessment_pb2 as wire

_NUMBER = re.compile(r"\d[\d.\-]*\d|\d")
# What sources can refuse: the statement is then not said, which is the safe side.
UNSAYABLE = (ValueError, KeyError, UnknownSourceError, UnrenderableError, CalculationError)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A statement with who made it. `objection`: why it is withheld although it is true; empty if nobody objects.

    `step`: of the episode, where the model chose it.
    """

    rendered: Rendered
    author: "wire.Author.ValueType"
    author_name: str
    objection: str = ""
    step: int = 0


def draft(statement: Statement, sources: Sources, author: "wire.Author.ValueType", name: str) -> Drafted | None:
    """None where the sources do not carry the statement."""
    try:
        return Drafted(render(statement, sources), author, name)
    except UNSAYABLE:
        return None


def merge(rules: Sequence[Drafted], model: Iterable[Drafted]) -> list[Drafted]:
    """The rules' statements, then those of the model that say something else than what is there already."""
    merged = list(_without_repetitions([], rules))
    merged += _without_repetitions(merged, model)
    return merged


def assess(drafted: Sequence[Drafted], verifier: Verifier, assessment_id: str) -> list[wire.Statement]:
    """Each statement with its claims, verdict and the gate's decision."""
    verified = (verifier.verify(each.rendered.text, each.rendered.citations) for each in drafted)
    each = enumerate(zip(drafted, verified, strict=True), 1)
    return [_decided(said, found, event_id("statement", assessment_id, str(number))) for number, (said, found) in each]


def _without_repetitions(before: Sequence[Drafted], new: Iterable[Drafted]) -> Iterable[Drafted]:
    said = list(before)
    for each in new:
        if not any(_repeats(each, other) for other in said):
            said.append(each)
            yield each


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


# Statements of these kinds over the same facts can still say different things.
_BY_NAME = frozenset({wire.STATEMENT_KIND_CALCULATION, wire.STATEMENT_KIND_ALERT, wire.STATEMENT_KIND_QUESTION})


def _decided(drafted: Drafted, verified: Verified, statement_id: str) -> wire.Statement:
    rendered = drafted.rendered
    release = decide(rendered.statement.kind, verified)
    return wire.Statement(
        statement_id=statement_id,
        kind=rendered.statement.kind,
        text=rendered.text,
        author=drafted.author,
        author_name=drafted.author_name,
        citations=rendered.citations,
        claims=[claim.to_proto() for claim in verified.claims],
        verdict=release.verdict.to_proto(),
        released=release.released and not drafted.objection,
        reason=release.reason or drafted.objection,
        probability=verified.probability,
        abstained=verified.abstained,
        episode_step=drafted.step,
    )
