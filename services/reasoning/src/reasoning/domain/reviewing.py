"""Checks a physician's decision against the assessment it is about, and makes it an event ready for training."""

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from grounding import Verifier, judge, worst_of
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest

from reasoning.domain import edits

MAX_TEXT = 4000
MAX_REVIEWER = 200


class ReviewRefusedError(ValueError):
    """The review does not fit the assessment; the text says what is wrong, without quoting it."""


def review_id(assessment_id: str) -> str:
    """An assessment is reviewed once, so its review has one id."""
    return event_id("review", assessment_id)


def check(request: ReviewRequest, assessment: wire.Assessment) -> None:
    """ReviewRefusedError names the first thing that is wrong."""
    if not request.reviewer or len(request.reviewer) > MAX_REVIEWER:
        raise ReviewRefusedError(f"reviewer must have 1 to {MAX_REVIEWER} characters")
    if request.decision == wire.REVIEW_DECISION_UNSPECIFIED:
        raise ReviewRefusedError("decision must be accepted, rejected or edited")
    known = {statement.statement_id for statement in assessment.statements}
    named = [statement.statement_id for statement in request.statements]
    if not set(named) <= known:
        raise ReviewRefusedError("a statement_id does not belong to this assessment")
    if len(set(named)) != len(named):
        raise ReviewRefusedError("a statement_id is named twice")
    for statement in request.statements:
        _check_statement(statement)
    if request.decision == wire.REVIEW_DECISION_EDITED and not request.statements:
        raise ReviewRefusedError("an edited assessment names the statements that were edited")


def reviewed(
    request: ReviewRequest, assessment: wire.Assessment, at: Timestamp, verifier: Verifier | None = None
) -> AssessmentReviewed:
    """Statements that the physician did not name share the decision on the whole; withheld ones stay withheld.

    `verifier`: over the patient's record; without one the physician's own words get no verdict.
    """
    named = {statement.statement_id: statement for statement in request.statements}
    rest = wire.REVIEW_DECISION_REJECTED
    if request.decision != wire.REVIEW_DECISION_REJECTED:
        rest = wire.REVIEW_DECISION_ACCEPTED
    statements = [
        _statement(each, named.get(each.statement_id) or wire.ReviewedStatement(decision=rest), verifier)
        for each in assessment.statements
        if each.released or each.statement_id in named
    ]
    return AssessmentReviewed(
        review_id=review_id(assessment.assessment_id),
        assessment_id=assessment.assessment_id,
        patient=assessment.patient,
        reviewer=request.reviewer,
        decision=request.decision,
        statements=statements,
        reviewed_at=at,
    )


def new_texts(request: ReviewRequest) -> str:
    """The physician's own words, all together."""
    return "\n".join(each.text for each in request.statements if each.decision == wire.REVIEW_DECISION_EDITED)


def _statement(
    drafted: wire.AssessedStatement, asked: wire.ReviewedStatement, verifier: Verifier | None
) -> wire.ReviewedStatement:
    """What was drafted beside what became of it: only decision, text and comment are the physician's to say."""
    made = wire.ReviewedStatement(
        statement_id=drafted.statement_id,
        decision=asked.decision,
        comment=asked.comment,
        original=drafted.text,
        episode_step=drafted.episode_step,
    )
    match asked.decision:
        case wire.REVIEW_DECISION_EDITED:
            made.text = asked.text
            made.spans.extend(edits.edited(drafted.text, asked.text))
            _note_verdict(made, verifier)
        case wire.REVIEW_DECISION_REJECTED:
            made.spans.extend(edits.removed(drafted.text))
        case _:
            made.spans.extend(edits.kept(drafted.text))
    return made


def _note_verdict(made: wire.ReviewedStatement, verifier: Verifier | None) -> None:
    """A physician may know what the record does not: the verdict is noted and blocks nothing."""
    if verifier is not None:
        judged = judge(made.text, verifier)
        verdict = worst_of(judged)
        made.verdict = verdict.to_proto()
        made.verdict_reason = next((each.reason for each in judged if each.verdict is verdict), "")


def _check_statement(statement: wire.ReviewedStatement) -> None:
    if statement.decision == wire.REVIEW_DECISION_UNSPECIFIED:
        raise ReviewRefusedError("each statement named needs a decision")
    if statement.decision == wire.REVIEW_DECISION_EDITED and not statement.text.strip():
        raise ReviewRefusedError("an edited statement needs its new text")
    if max(len(statement.text), len(statement.comment)) > MAX_TEXT:
        raise ReviewRefusedError(f"texts have at most {MAX_TEXT} characters")
