"""Whatever rests on evidence that was withdrawn says so, once, and nothing else does."""

from datetime import date

from google.protobuf.timestamp_pb2 import Timestamp
from knowledge import shipped
from longitude.memory.v1.events_pb2 import Actor, EvidenceWithdrawn
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment, Citation, QuestionBack
from longitude.record.v1.context_pb2 import PassageRelease
from reasoning.domain.notices import cited_passages, drifted, notices


def cites(passage_id: str, edition_id: str = "") -> Citation:
    release = PassageRelease(edition_id=edition_id) if edition_id else None
    return Citation(passage_id=passage_id, release=release)


def assessment(*citations: Citation, at: int = 100, asked: Citation | None = None) -> Assessment:
    statements = [AssessedStatement(statement_id=f"s{n}", citations=[each]) for n, each in enumerate(citations)]
    questions = [QuestionBack(citations=[asked])] if asked else []
    return Assessment(statements=statements, questions=questions, drafted_at=Timestamp(seconds=at))


def withdrawn(edition_id: str, at: int = 200) -> EvidenceWithdrawn:
    return EvidenceWithdrawn(
        edition_id=edition_id,
        passage_id=edition_id.partition("@")[0],
        title="A title",
        by=Actor(name="Dr Anna"),
        reason="retracted",
        withdrawn_at=Timestamp(seconds=at),
    )


def test_every_statement_that_cites_it_is_named_in_one_notice() -> None:
    written = assessment(cites("dose", "dose@1"), cites("other", "other@1"), cites("dose", "dose@1"))
    (notice,) = notices(written, [withdrawn("dose@1")])
    assert list(notice.statement_ids) == ["s0", "s2"]
    assert (notice.passage_id, notice.title, notice.reason, notice.withdrawn_by) == (
        "dose",
        "A title",
        "retracted",
        "Dr Anna",
    )


def test_another_edition_of_the_same_passage_has_no_notice() -> None:
    assert notices(assessment(cites("dose", "dose@2")), [withdrawn("dose@1")]) == []


def test_a_question_back_that_rests_on_it_counts_too() -> None:
    written = assessment(asked=cites("dose", "dose@1"))
    assert cited_passages(written) == {"dose"}
    assert [list(each.statement_ids) for each in notices(written, [withdrawn("dose@1")])] == [[]]


def test_an_assessment_from_before_editions_goes_by_passage_and_time() -> None:
    assert len(notices(assessment(cites("dose"), at=100), [withdrawn("dose@1", at=200)])) == 1
    assert notices(assessment(cites("dose"), at=300), [withdrawn("dose@1", at=200)]) == []


def test_an_assessment_that_cites_facts_alone_asks_for_nothing() -> None:
    assert cited_passages(assessment(Citation(fact_id="f1"))) == set()


def test_rows_that_would_not_speak_so_now_are_named_with_their_statements() -> None:
    row = next(iter(shipped()))
    older = f"{row.family}/{row.id}@{row.version - 1}"
    statements = [
        AssessedStatement(statement_id=f"s{n}", row=each) for n, each in enumerate(("", row.name, older, older))
    ]
    (one,) = drifted(Assessment(statements=statements), shipped(), date(2026, 11, 29))
    assert (one.row, one.reason) == (older, f"version {row.version} of the row speaks now")
    assert list(one.statement_ids) == ["s2", "s3"]
