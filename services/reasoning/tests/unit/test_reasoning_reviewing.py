"""A review fits its assessment or is refused with the reason; what the physician left unsaid follows the whole."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.ingestion.v1.clinical_fact_pb2 import PatientKey
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import Assessment, ReviewedStatement, Statement
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest
from reasoning.domain.reviewing import ReviewRefusedError, check, review_id, reviewed

ASSESSMENT = Assessment(
    assessment_id="a",
    patient=PatientKey(id="1", authority="X"),
    statements=[
        Statement(statement_id="s1", released=True),
        Statement(statement_id="s2", released=True),
        Statement(statement_id="s3", released=False),
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


def test_an_assessment_has_one_review_id() -> None:
    assert review_id("a") == review_id("a") != review_id("b")
