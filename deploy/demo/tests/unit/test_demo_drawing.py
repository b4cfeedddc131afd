"""The page is drawn from what was seen: sentences with their pointers, withheld ones with their reasons, the proof."""

import io
from collections import Counter

from client.verify.event import ProvenLeaf
from client.verify.note import Checkpoint
from client.verify.report import Report
from demo import page
from demo.outcome import Outcome
from demo.record import EGFR, Record
from demo.watching import Watched
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.imaging.v1.events_pb2 import Attribute, Finding, StudyAnalysed
from longitude.memory.v1.memory_service_pb2 import GetTimelineResponse
from longitude.reasoning.v1 import assessment_pb2 as said
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from rich.console import Console


def _egfr(day: int, value: str, control_id: str) -> RecordedFact:
    fact = pb.ClinicalFact(
        fact_id=control_id,
        kind=pb.FACT_KIND_RESULT,
        code=pb.CodedConcept(code=EGFR),
        quantity=pb.Quantity(value=value, unit="mL/min/{1.73_m2}"),
        source=pb.SourcePointer(control_id=control_id, segment="OBX[2]", field="OBX-5"),
    )
    fact.valid_from.FromSeconds(day * 86400)
    return RecordedFact(fact=fact)


def _drawn(*statements: said.AssessedStatement) -> str:
    facts = [_egfr(19_794, "68", "NW0003"), _egfr(20_731, "28", "NW0036")]
    outcome = Outcome(
        acknowledgements=Counter(),
        sent=0,
        before=Counter(),
        told_before=False,
        record=Record(GetTimelineResponse(facts=facts)),
        study=StudyAnalysed(
            attributes=[Attribute(name="projection", text="AP")],
            findings=[Finding(name="opacity", probability=0.81, threshold=0.63)],
        ),
        watched=Watched(Concern(text="Potassium was 6.8 mmol/L."), closed=True, seconds=0.4),
        assessment=said.Assessment(statements=statements),
        review_id="review-1",
        cards=[{"indicator": "critical", "summary": "Allergy: penicillin.", "source": {"label": "AAAAI"}}],
        access=None,
        proof=ProvenLeaf(Leaf(index=7), b"\x01\x02", Checkpoint("log", 9, b""), ()),
        report=Report(origin="log", size=9, verified=9, redelivered=3),
        seconds={"Ask": 2.0, "Send": 1.0},
    )
    drawn = io.StringIO()
    page.draw(Console(file=drawn, width=140), outcome)
    return drawn.getvalue()


def test_trends_show_the_first_and_the_last_value_with_their_days() -> None:
    line = next(line for line in _drawn().splitlines() if "eGFR" in line)
    assert line.split()[1:] == ["█▁", "68", "2024-03", "28", "mL/min/1.73", "m2", "2026-10"]


def test_a_released_sentence_stands_with_its_pointers() -> None:
    source = pb.SourcePointer(control_id="NW0036", segment="OBX[2]", field="OBX-5")
    alert = said.AssessedStatement(
        kind=said.STATEMENT_KIND_ALERT,
        text="Metformin does not fit.",
        released=True,
        author=said.AUTHOR_RULE,
        author_name="metformin_and_kidney_function",
        citations=[said.Citation(fact_id="f", source=source), said.Citation(passage_id="fda-metformin-renal")],
    )
    drawn = _drawn(alert)
    assert "Not to be missed" in drawn
    assert "rule metformin_and_kidney_function: NW0036 OBX[2] OBX-5; fda-metformin-renal" in drawn


def test_many_pointers_are_counted() -> None:
    citations = [said.Citation(passage_id=f"p{n}") for n in range(6)]
    assert page.sources(said.AssessedStatement(citations=citations)) == "p0; p1; p2; p3 and 2 more"


def test_a_withheld_sentence_stands_with_its_reason_and_not_among_the_released() -> None:
    drawn = _drawn(said.AssessedStatement(text="She feels fine.", reason="no source", author=said.AUTHOR_MODEL))
    assert drawn.index("Withheld") < drawn.index("She feels fine.") < drawn.index("model: no source")


def test_the_proof_the_film_and_the_times_are_shown() -> None:
    drawn = _drawn()
    for told in (
        "7 of 9",
        "9 records of Kafka hashed again",
        "3 records recognised",
        "review-1",
        "opacity 0.81",
        "3.0 s",
    ):
        assert told in drawn


def test_what_stands_in_front_is_read_before_everything_else() -> None:
    alert = said.AssessedStatement(kind=said.STATEMENT_KIND_ALERT, text="Metformin does not fit.", released=True)
    answer = said.AssessedStatement(kind=said.STATEMENT_KIND_TREND, text="eGFR fell.", released=True, front=True)
    drawn = _drawn(alert, answer)
    assert drawn.index("In front") < drawn.index("eGFR fell.") < drawn.index("Not to be missed")
    assert "In front" not in _drawn(alert)


def test_what_was_seen_unasked_is_told_with_its_time() -> None:
    drawn = _drawn()
    assert "Potassium was 6.8 mmol/L." in drawn
    assert "0.4 s after the message, closed by the repeat" in drawn
