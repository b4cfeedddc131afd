"""The gate: verify, then release. Every statement goes through both, whoever made it, and carries its claims."""

from collections.abc import Sequence

from contracts.identifiers import event_id
from grounding import Verified, Verifier
from grounding.gate import decide
from grounding.statements import Words
from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.drafting import Drafted


def gate(drafted: Sequence[Drafted], verifier: Verifier, assessment_id: str) -> list[wire.AssessedStatement]:
    """Each statement with its claims, verdict and the decision about it. The same draft gives the same ids."""
    return release(drafted, verify(drafted, verifier), assessment_id)


def verify(drafted: Sequence[Drafted], verifier: Verifier) -> list[Verified]:
    """What the record and the evidence say of each text."""
    return [verifier.verify(each.rendered.text, each.rendered.citations) for each in drafted]


def release(
    drafted: Sequence[Drafted], verified: Sequence[Verified], assessment_id: str
) -> list[wire.AssessedStatement]:
    """Released or withheld, with the reason: the verdict's, else the objection's."""
    pairs = enumerate(zip(drafted, verified, strict=True), 1)
    return [_decided(one, of_it, event_id("statement", assessment_id, str(number))) for number, (one, of_it) in pairs]


def _decided(drafted: Drafted, verified: Verified, statement_id: str) -> wire.AssessedStatement:
    rendered = drafted.rendered
    if is_blank(drafted):
        return _blank(drafted, statement_id)
    decision = decide(rendered.statement.kind, verified)
    return wire.AssessedStatement(
        statement_id=statement_id,
        kind=rendered.statement.kind,
        text=rendered.text,
        author=drafted.author,
        author_name=drafted.author_name,
        citations=rendered.citations,
        claims=[claim.to_proto() for claim in verified.claims],
        verdict=decision.verdict.to_proto(),
        released=decision.released and not drafted.objection,
        reason=decision.reason or drafted.objection,
        abstained=verified.abstained,
        episode_step=drafted.step,
        front=drafted.front,
        section=drafted.section,
        row=drafted.row,
    )


def is_blank(drafted: Drafted) -> bool:
    """Whether it is a title and nothing else, so that there is nothing to check."""
    statement = drafted.rendered.statement
    named = all(isinstance(each, Words) for each in statement.parts) and not statement.also
    return statement.kind == wire.STATEMENT_KIND_BLANK and named and drafted.rendered.text.endswith(":")


def _blank(drafted: Drafted, statement_id: str) -> wire.AssessedStatement:
    return wire.AssessedStatement(
        statement_id=statement_id,
        kind=wire.STATEMENT_KIND_BLANK,
        text=drafted.rendered.text,
        author=drafted.author,
        author_name=drafted.author_name,
        verdict=wire.VERDICT_NO_CLAIM,
        released=True,
        front=drafted.front,
        section=drafted.section,
    )
