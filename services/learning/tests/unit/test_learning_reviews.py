"""What a review says of each statement, and what many say together."""

import pytest
from learning.domain import reviews, rubric
from learning.domain.rubric import Count, Reviewer, RowState
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Action, Decision, Episode, ModelTurn, Step
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed

ORIGINAL = "Creatinine was 1.95 mg/dL."
KEPT, REMOVED, REPLACED, ADDED = (
    wire.JUDGEMENT_KEPT,
    wire.JUDGEMENT_REMOVED,
    wire.JUDGEMENT_REPLACED,
    wire.JUDGEMENT_ADDED,
)
Span = tuple[int, int, "wire.Judgement.ValueType"]


def statement(decision: "wire.ReviewDecision.ValueType", *spans: Span) -> wire.ReviewedStatement:
    made = [wire.ReviewedSpan(start=start, end=end, judgement=judgement) for start, end, judgement in spans]
    return wire.ReviewedStatement(decision=decision, original=ORIGINAL, spans=made, episode_step=4)


@pytest.mark.parametrize(
    ("decision", "spans", "violation"),
    [
        (wire.REVIEW_DECISION_ACCEPTED, [(0, 26, KEPT)], ""),
        (wire.REVIEW_DECISION_REJECTED, [(0, 26, REMOVED)], "removed"),
        (wire.REVIEW_DECISION_EDITED, [(0, 15, KEPT), (15, 19, REPLACED), (19, 26, KEPT)], "number changed"),
        (wire.REVIEW_DECISION_EDITED, [(0, 10, REPLACED), (10, 26, KEPT)], "words changed"),
        (wire.REVIEW_DECISION_EDITED, [(0, 26, KEPT), (26, 26, ADDED)], "words added"),
    ],
)
def test_the_gravest_thing_that_was_done_counts(
    decision: "wire.ReviewDecision.ValueType", spans: list[Span], violation: str
) -> None:
    (judged,) = reviews.judged(AssessmentReviewed(statements=[statement(decision, *spans)]))
    assert (judged.episode_step, judged.violation) == (4, violation)


def test_a_choice_belongs_to_the_turn_before_it() -> None:
    def say(kind: "wire.StatementKind.ValueType") -> Decision:
        return Decision(by="guard", action=Action(say=Action.Say(kind=kind)))

    steps = [
        Step(index=0, decision=Decision(by="rules")),
        Step(index=1, turn=ModelTurn()),
        Step(index=2, decision=say(wire.STATEMENT_KIND_TREND)),
        Step(index=3, turn=ModelTurn()),
        Step(index=4, decision=Decision(by="guard", reason="refused")),
        Step(index=5, turn=ModelTurn()),
        Step(index=6, decision=Decision(by="guard", action=Action(hand_over=Action.HandOver(role="pharmacist")))),
    ]
    assert reviews.choices(Episode(steps=steps)) == {1: "say trend", 5: "hand over"}


def test_a_pseudonym_is_the_same_for_the_same_reviewer_under_the_same_key_alone() -> None:
    one = reviews.pseudonym(b"k", "NWD17")
    assert one == reviews.pseudonym(b"k", "NWD17")
    assert len({one, reviews.pseudonym(b"l", "NWD17"), reviews.pseudonym(b"k", "NWD18")}) == 3


def test_rows_come_by_rate_and_say_what_is_new_and_what_is_satisfied() -> None:
    counts = [
        Count("rule", "removed", recent=True, statements=1),
        Count("rule", "", recent=True, statements=9),
        Count("model", "words changed", recent=True, statements=2),
        Count("model", "", recent=True, statements=2),
        Count("model", "words changed", recent=False, statements=3),
        Count("model, say trend", "removed", recent=False, statements=5),
        Count("model, say trend", "", recent=True, statements=rubric.ENOUGH),
        Count("model, say latest", "removed", recent=False, statements=5),
        Count("model, say latest", "", recent=True, statements=rubric.ENOUGH - 1),
    ]
    rows = rubric.rows(counts)
    assert [(row.name, row.rate, row.state) for row in rows] == [
        ("model: words changed", 0.5, RowState.OPEN),
        ("rule: removed", 0.1, RowState.NEW),
        ("model, say latest: removed", 0.0, RowState.OPEN),
        ("model, say trend: removed", 0.0, RowState.SATISFIED),
    ]


@pytest.mark.parametrize(
    ("suspect", "others", "one_sided"),
    [
        (Reviewer("s", 44, 0), Reviewer("o", 100, 20), True),
        (Reviewer("s", 43, 0), Reviewer("o", 100, 20), False),
        (Reviewer("s", 400, 1), Reviewer("o", 100, 20), False),
        # Where nobody corrects, nobody is one-sided; nor where there is nobody to compare with.
        (Reviewer("s", 400, 0), Reviewer("o", 100, 9), False),
        (Reviewer("s", 400, 0), Reviewer("o", 43, 20), False),
    ],
)
def test_who_corrects_nothing_where_others_do_is_one_sided(
    suspect: Reviewer,
    others: Reviewer,
    one_sided: bool,  # noqa: FBT001
) -> None:
    assert (suspect.reviewer in rubric.one_sided([suspect, others])) is one_sided
