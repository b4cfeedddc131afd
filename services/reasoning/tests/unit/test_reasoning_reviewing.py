"""A review fits its assessment or is refused with the reason; what the physician left unsaid follows the whole."""

from collections.abc import Callable

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grounding import Sources, Verifier
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment, ReviewedStatement
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest
from longitude.record.v1.fact_pb2 import PatientKey
from practice.records import RecordBuilder
from reasoning.domain.reviewing import ReviewRefusedError, check, review_id, reviewed

Patient = tuple[RecordBuilder, dict[str, str]]

ASSESSMENT = Assessment(
    assessment_id="a",
    patient=PatientKey(id="1", authority="X"),
    statements=[
        AssessedStatement(statement_id="s1", released=True, text="Takes metformin 1000 mg.", episode_step=4),
        AssessedStatement(statement_id="s2", released=True, text="Potassium is 5.6 mmol/L."),
        AssessedStatement(statement_id="s3", released=False),
    ],
)
ACCEPTED, REJECTED, EDITED = (
    wire.REVIEW_DECISION_ACCEPTED,
    wire.REVIEW_DECISION_REJECTED,
    wire.REVIEW_DECISION_EDITED,
)


def request(
    decision: "wire.ReviewDecision.ValueType", *statements: ReviewedStatement, by: str = "NWD17"
) -> ReviewRequest:
    return ReviewRequest(assessment_id="a", reviewer=by, decision=decision, statements=statements)


@pytest.mark.parametrize(
    ("refused", "because"),
    [
        (request(ACCEPTED, by=""), "reviewer"),
        (request(wire.REVIEW_DECISION_UNSPECIFIED), "decision"),
        (request(ACCEPTED, ReviewedStatement(statement_id="s9", decision=REJECTED)), "does not belong"),
        (request(ACCEPTED, *[ReviewedStatement(statement_id="s1", decision=REJECTED)] * 2), "twice"),
        (request(ACCEPTED, ReviewedStatement(statement_id="s1")), "needs a decision"),
        (request(EDITED, ReviewedStatement(statement_id="s1", decision=EDITED, text=" ")), "new text"),
        (request(EDITED), "names the statements"),
        (request(EDITED, ReviewedStatement(statement_id="s1", decision=EDITED, text="x" * 4001)), "at most"),
    ],
)
def test_a_review_that_does_not_fit_is_refused_with_the_reason(refused: ReviewRequest, because: str) -> None:
    with pytest.raises(ReviewRefusedError, match=because):
        check(refused, ASSESSMENT)


def test_statements_that_were_not_named_follow_the_whole_and_withheld_ones_are_left_out() -> None:
    edit = ReviewedStatement(statement_id="s2", decision=EDITED, text="Better.")
    asked = request(EDITED, edit)
    check(asked, ASSESSMENT)
    review = reviewed(asked, ASSESSMENT, Timestamp(seconds=5))
    assert [(each.statement_id, each.decision) for each in review.statements] == [("s1", ACCEPTED), ("s2", EDITED)]
    rejected = reviewed(request(REJECTED), ASSESSMENT, Timestamp())
    assert {each.decision for each in rejected.statements} == {REJECTED}


def test_every_reviewed_statement_carries_the_draft_its_spans_and_its_step() -> None:
    forged = ReviewedStatement(statement_id="s2", decision=EDITED, text="Potassium is 5.5 mmol/L.", original="Else.")
    first, second = reviewed(request(EDITED, forged), ASSESSMENT, Timestamp()).statements
    assert (first.original, first.episode_step) == ("Takes metformin 1000 mg.", 4)
    assert [(span.start, span.end, span.judgement) for span in first.spans] == [(0, 24, wire.JUDGEMENT_KEPT)]
    assert second.original == "Potassium is 5.6 mmol/L."
    (replaced,) = [span for span in second.spans if span.judgement == wire.JUDGEMENT_REPLACED]
    assert (second.original[replaced.start : replaced.end], replaced.replacement) == ("5.6", "5.5")
    for each in reviewed(request(REJECTED), ASSESSMENT, Timestamp()).statements:
        assert [(span.end, span.judgement) for span in each.spans] == [(len(each.original), wire.JUDGEMENT_REMOVED)]


def test_a_physicians_own_words_get_a_verdict_and_are_never_blocked(
    patient: Patient, build_sources: Callable[[RecordBuilder], Sources]
) -> None:
    edit = ReviewedStatement(statement_id="s2", decision=EDITED, text="Potassium is 9.9 mmol/L.")
    verifier = Verifier(build_sources(patient[0]))
    asked = request(EDITED, edit)
    check(asked, ASSESSMENT)
    accepted, edited = reviewed(asked, ASSESSMENT, Timestamp(), verifier).statements
    assert (edited.text, edited.verdict) == (edit.text, wire.VERDICT_CONTRADICTED)
    assert "the record has" in edited.verdict_reason
    assert accepted.verdict == wire.VERDICT_UNSPECIFIED
    assert reviewed(asked, ASSESSMENT, Timestamp()).statements[1].verdict == wire.VERDICT_UNSPECIFIED


def test_a_sentence_that_cannot_be_checked_is_not_carried_by_one_that_can(
    patient: Patient, build_sources: Callable[[RecordBuilder], Sources]
) -> None:
    text = "Potassium is 5.6 mmol/L on 2026-10-05. To be seen next week."
    asked = request(EDITED, ReviewedStatement(statement_id="s2", decision=EDITED, text=text))
    edited = reviewed(asked, ASSESSMENT, Timestamp(), Verifier(build_sources(patient[0]))).statements[1]
    assert (edited.verdict, edited.verdict_reason) == (wire.VERDICT_UNSUPPORTED, "reading: “To” was not read")


def test_an_assessment_has_one_review_id() -> None:
    assert review_id("a") == review_id("a") != review_id("b")
