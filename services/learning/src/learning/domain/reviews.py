"""A review as it is kept, and what each of its statements says about the answer: the rows of the rubric.

A row is whose statement it was, of which kind, and what the physician did to it: `model, say trend: removed`.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Action, Episode
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed

from learning.domain.rubric import VIOLATIONS

REMOVED, NUMBER, WORDS, ADDED = VIOLATIONS
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one statement; no violation where it was kept."""

    episode_step: int
    violation: str


def pseudonym(key: bytes, reviewer: str) -> str:
    """HMAC-SHA256, hex: the same reviewer, not to be guessed without the key."""
    return hmac.new(key, b"reviewer\0" + reviewer.encode(), hashlib.sha256).hexdigest()


def kept(review: AssessmentReviewed, reviewer: str) -> bytes:
    """The review under a pseudonym and without the patient, serialised."""
    copy = AssessmentReviewed()
    copy.CopyFrom(review)
    copy.ClearField("patient")
    copy.reviewer = reviewer
    return copy.SerializeToString(deterministic=True)


def judged(review: AssessmentReviewed) -> list[Judged]:
    """Each statement of the review."""
    return [Judged(statement.episode_step, _violation(statement)) for statement in review.statements]


def choices(episode: Episode) -> dict[int, str]:
    """By the step of a turn, what the model chose in it, as the guard let it through."""
    found: dict[int, str] = {}
    turn = 0
    for step in episode.steps:
        if step.HasField("turn"):
            turn = step.index
        elif step.HasField("decision") and step.decision.HasField("action"):
            found[turn] = _kind(step.decision.action)
    return found


def _kind(action: Action) -> str:
    kind = action.WhichOneof("kind") or ""
    if kind == "say":
        return f"say {wire.StatementKind.Name(action.say.kind).removeprefix('STATEMENT_KIND_').lower()}"
    return kind.replace("_", " ")


def _violation(statement: wire.ReviewedStatement) -> str:
    """The gravest thing that was done: taken out, another number, other words, something added."""
    done = Counter(span.judgement for span in statement.spans)
    if statement.decision == wire.REVIEW_DECISION_REJECTED:
        return REMOVED
    if _numbers_changed(statement.original, statement.spans):
        return NUMBER
    if done[wire.JUDGEMENT_REPLACED] or done[wire.JUDGEMENT_REMOVED]:
        return WORDS
    return ADDED if done[wire.JUDGEMENT_ADDED] else ""


def _numbers_changed(original: str, spans: Iterable[wire.ReviewedSpan]) -> bool:
    gone = (wire.JUDGEMENT_REPLACED, wire.JUDGEMENT_REMOVED)
    return any(span.judgement in gone and _DIGIT.search(original[span.start : span.end]) for span in spans)
