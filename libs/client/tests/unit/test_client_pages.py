"""What users and programs see: the binding `--json` forms, and pages that say the same without colours."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from client import forms, remarks
from client.cli import check, evidence, find, replay, review, timeline, trace
from client.cli.answer import Page
from client.cli.command import app
from client.cli.page import trend
from client.cli.send import files_of
from client.documents import Document
from client.errors import ClientError
from client.records import RawRecord
from client.states import states
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.ingestion.v1.events_pb2 import MessageRejected
from longitude.memory.v1.memory_service_pb2 import EvidenceSubject, GetEvidenceCoverageResponse, GetTimelineResponse
from longitude.reasoning.v1.assessment_pb2 import (
    AssessedStatement,
    Assessment,
    Author,
    Citation,
    Claim,
    Inquiry,
    Judgement,
    ReviewDecision,
    ReviewedSpan,
    ReviewedStatement,
    StatementKind,
    Verdict,
)
from longitude.reasoning.v1.reasoning_service_pb2 import Argument, Assertion, CheckedSpan, CheckResponse, ReplayResponse
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import Contradiction, ContradictionState, RecordedFact
from rich.console import Console
from typer.testing import CliRunner

SOURCE = pb.SourcePointer(control_id="NW0002", segment="OBX[3]", field="OBX-5.1", event_id="e-1")


def at(year: int) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime(year, 3, 1, 8, 0, tzinfo=UTC))
    return stamp


def result(year: int, value: str, flag: str = "") -> RecordedFact:
    said = pb.ClinicalFact(
        fact_id=f"f-{year}",
        kind=pb.FACT_KIND_RESULT,
        code=pb.CodedConcept(system="http://loinc.org", code="33914-3", display="eGFR [estimated]"),
        quantity=pb.Quantity(value=value, unit="mL/min/{1.73_m2}"),
        valid_from=at(year),
        valid_to=at(year),
        status=pb.FACT_STATUS_FINAL,
        abnormal_flag=flag,
        source=SOURCE,
    )
    return RecordedFact(fact=said, recorded_at=at(year))


ALLERGY = RecordedFact(
    fact=pb.ClinicalFact(
        fact_id="a-1",
        kind=pb.FACT_KIND_ALLERGY,
        code=pb.CodedConcept(system="http://snomed.info/sct", code="716186003", display="No known allergies"),
        assertion=pb.ASSERTION_ABSENT,
        status=pb.FACT_STATUS_ACTIVE,
        valid_from=at(2025),
    ),
    recorded_at=at(2025),
)
RECORD = GetTimelineResponse(
    facts=[result(2024, "71"), result(2025, "52"), result(2026, "28", "L"), ALLERGY],
    identifiers=[pb.PatientKey(id="NW-1", authority="NW"), pb.PatientKey(id="88-1", authority="LAKE")],
    contradictions=[
        Contradiction(
            rule="allergy-absent-and-present",
            fact_ids=["a-1"],
            state=ContradictionState.CONTRADICTION_STATE_OPEN,
        )
    ],
)


def printed(width: int = 120) -> tuple[Console, io.StringIO]:
    buffer = io.StringIO()
    return Console(file=buffer, width=width, highlight=False), buffer


def test_a_fact_has_every_member_that_programs_rely_on() -> None:
    form = forms.fact(result(2026, "28.50", "L"))
    assert form["value"] == "28.50", "no digit is lost"
    assert form["kind"] == "result"
    assert form["status"] == "final"
    assert form["code"] == {"system": "http://loinc.org", "code": "33914-3", "display": "eGFR [estimated]"}
    assert form["valid_from"] == form["valid_to"] == form["recorded_at"] == "2026-03-01T08:00:00Z"
    assert form["source"] == {"event_id": "e-1", "control_id": "NW0002", "segment": "OBX[3]", "field": "OBX-5.1"}
    assert {"fact_id", "unit"} <= form.keys()
    json.dumps(form)


def test_a_fact_that_is_open_ended_has_no_end() -> None:
    form = forms.fact(ALLERGY)
    assert (form["valid_to"], form["value"], form["unit"]) == (None, None, None)
    assert form["source"] == {"control_id": "", "segment": "", "field": ""}


def test_the_timeline_shows_trend_values_flags_and_where_the_latest_stands() -> None:
    console, page = printed()
    timeline.show(console, "NW-1@NW", RECORD)
    text = page.getvalue()
    for expected in ("also 88-1@LAKE", "eGFR [estimated]", "█▅▁", "71", "28 L", "2026-03-01", "NW0002 OBX[3] OBX-5.1"):
        assert expected in text
    assert "not present" in text
    assert "allergy-absent-and-present" in text
    assert "\x1b" not in text, "no colours where there is no terminal"


def order(fact_id: str, year: int | None, stated: int, **more: Any) -> RecordedFact:
    said = pb.ClinicalFact(
        fact_id=fact_id,
        kind=pb.FACT_KIND_MEDICATION,
        code=pb.CodedConcept(system="http://www.nlm.nih.gov/research/umls/rxnorm", code="6809", display="metformin"),
        status=more.pop("status", pb.FACT_STATUS_ACTIVE),
        valid_from=at(year) if year else None,
        stated_at=at(stated),
        **more,
    )
    return RecordedFact(fact=said, recorded_at=at(stated))


def test_an_order_without_an_end_is_told_by_its_day() -> None:
    record = [order("old", 2019, 2019), order("new", None, 2025), order("ends", 2024, 2024, valid_to=at(2027))]
    assert states(record) == {
        "old": "ordered on 2019-03-01",
        "new": "ordered on 2025-03-01, not renewed since",
        "ends": "active",
    }
    assert "renewed" not in "".join(states(record, complete=False).values())
    assert states([order("held", 2019, 2019, status=pb.FACT_STATUS_ENDED, note="on hold")]) == {"held": "on hold"}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (pb.FACT_KIND_PROBLEM, "active, recorded on 2025-03-01, start not stated"),
        (pb.FACT_KIND_ALLERGY, "active, recorded on 2025-03-01, start not stated"),
        (pb.FACT_KIND_ENCOUNTER, "active"),
    ],
)
def test_a_start_that_nobody_stated_is_said_to_be_missing(kind: pb.FactKind.ValueType, state: str) -> None:
    said = pb.ClinicalFact(fact_id="it", kind=kind, status=pb.FACT_STATUS_ACTIVE, stated_at=at(2025))
    assert states([RecordedFact(fact=said)]) == {"it": state}


def test_what_changes_a_meaning_is_shown_beside_the_value() -> None:
    tested = [result(2024, "S"), result(2024, "R")]
    for each, organism in zip(tested, ("Escherichia coli", "Klebsiella"), strict=True):
        each.fact.about.display = organism
    late = result(2026, "6.9", "HH")
    late.fact.comments.append("haemolysed")
    late.fact.stated_at.CopyFrom(at(2026))
    for name in ("valid_from", "valid_to"):
        late.fact.ClearField(name)
    allergy = RecordedFact(fact=ALLERGY.fact, carried_from=["earlier"])
    allergy.fact.severity.display = "Severe"
    console, page = printed(width=200)
    timeline.show(console, "NW-1@NW", GetTimelineResponse(facts=[late, result(2025, "4.1"), *tested, allergy]))
    shown = " ".join(page.getvalue().split())
    for expected in (
        "6.9 HH (comment: haemolysed)",
        "time not stated, reported 2026-03-01",
        "Escherichia coli",
        "Klebsiella",
        "Severe",
        "active (partly from earlier statements)",
    ):
        assert expected in shown, expected
    assert shown.index("4.1") < shown.index("6.9"), "an undated result stands where it was reported"


def test_the_json_of_a_fact_holds_what_its_source_said_beside_the_value() -> None:
    said = order("it", None, 2025, comments=["with food"], severity=pb.CodedConcept(code="SV")).fact
    said.dosage.dose.value, said.dosage.dose_high.value, said.dosage.dose.unit = "1", "2", "{tbl}"
    said.further_dosages.add(frequency="at night")
    form = forms.fact(RecordedFact(fact=said, carried_from=["earlier"]))
    assert (form["valid_from"], form["stated_at"]) == (None, "2025-03-01T08:00:00Z")
    assert (form["comments"], form["carried_from"], form["about"]) == (["with food"], ["earlier"], None)
    assert form["severity"]["code"] == "SV"
    assert [(each["dose"], each["dose_high"], each["frequency"]) for each in form["dosages"]] == [
        ("1", "2", None),
        (None, None, "at night"),
    ]
    json.dumps(form)


def test_a_narrow_terminal_is_respected() -> None:
    console, page = printed(width=60)
    timeline.show(console, "NW-1@NW", RECORD)
    assert max(map(len, page.getvalue().splitlines())) <= 60


def test_a_trend_is_drawn_from_low_to_high_and_plain_where_bars_cannot_be() -> None:
    console, _ = printed()
    assert trend(console, [1.0, 2.0, 3.0]) == "▁▅█"
    assert trend(console, [5.0]) == ""
    assert set(trend(console, [4.0, 4.0])) == {"▁"}
    ascii_console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert trend(ascii_console, [1.0, 2.0]).isascii()


STATEMENTS = [
    AssessedStatement(
        text="Metformin is contraindicated at an eGFR of 28.",
        kind=StatementKind.STATEMENT_KIND_ALERT,
        author=Author.AUTHOR_RULE,
        author_name="metformin-renal",
        verdict=Verdict.VERDICT_SUPPORTED,
        released=True,
        citations=[Citation(fact_id="f-2026", source=SOURCE), Citation(passage_id="fda-metformin-renal")],
    ),
    AssessedStatement(
        text="The patient has [bold]gout[/bold].",
        kind=StatementKind.STATEMENT_KIND_PROSE,
        author=Author.AUTHOR_MODEL,
        verdict=Verdict.VERDICT_UNSUPPORTED,
        reason="no fact says so",
    ),
]
ASSESSMENT = Assessment(assessment_id="as-1", question="Is metformin safe?", statements=STATEMENTS, model="smollm2/1")


def test_an_assessment_has_every_member_that_programs_rely_on() -> None:
    form = forms.assessment(ASSESSMENT)
    assert form["inquiry"] == {"about": [], "forms": [], "unread": []}
    released, withheld = form["statements"]
    assert (released["verdict"], released["released"], released["reason"]) == ("supported", True, None)
    assert released["sources"][0]["segment"] == "OBX[3]"
    assert released["sources"][1] == {"passage_id": "fda-metformin-renal"}
    assert (withheld["verdict"], withheld["released"], withheld["reason"]) == ("unsupported", False, "no fact says so")


def test_whether_a_statement_stands_in_front_and_how_the_question_was_understood_is_told_to_programs() -> None:
    form = forms.assessment(ANSWERED)
    assert [each["front"] for each in form["statements"]] == [True, False, False, False, False, False]
    assert form["inquiry"] == {"about": ["kidneys"], "forms": ["course"], "unread": ["oxy"]}


def answered(assessment: Assessment, *, more: bool = False) -> str:
    console, page = printed()
    Page(console, assessment.question, more=more).show(assessment)
    return page.getvalue()


def said(kind: StatementKind.ValueType, text: str, fact_id: str, *, front: bool = False) -> AssessedStatement:
    return AssessedStatement(
        text=text,
        kind=kind,
        author=Author.AUTHOR_RULE,
        verdict=Verdict.VERDICT_SUPPORTED,
        released=True,
        front=front,
        citations=[Citation(fact_id=fact_id, source=SOURCE)],
    )


ANSWERED = Assessment(
    assessment_id="as-2",
    question="How are the kidneys on oxy?",
    statements=[
        said(StatementKind.STATEMENT_KIND_TREND, "eGFR fell from 60 to 28.", "egfr", front=True),
        said(StatementKind.STATEMENT_KIND_ALERT, "Metformin at an eGFR of 28.", "egfr"),
        said(StatementKind.STATEMENT_KIND_ALERT, "Penicillin allergy and amoxicillin.", "penicillin"),
        said(StatementKind.STATEMENT_KIND_QUESTION, "Does the allergy hold?", "penicillin"),
        said(StatementKind.STATEMENT_KIND_LATEST, "Sodium was 140 mmol/L.", "sodium"),
        STATEMENTS[1],
    ],
    inquiry=Inquiry(about=["kidneys"], forms=["course"], unread=["oxy"]),
)


def test_what_answers_stands_first_then_what_endangers_it_and_the_rest_is_one_line_with_its_count() -> None:
    text = answered(ANSWERED)
    order = ["How are the kidneys", "eGFR fell", "not understood: “oxy”", "Not to be missed", "Metformin at an eGFR"]
    order += ["beside the question: 1 alert, 1 question", "more: 1 statement, 1 withheld"]
    assert sorted(order, key=text.index) == order
    assert not [each for each in ("Penicillin", "Does the allergy", "Sodium", "gout") if each in text]


def test_more_unfolds_everything() -> None:
    text = answered(ANSWERED, more=True)
    assert all(each.text in text for each in ANSWERED.statements)
    assert "--more" not in text


def test_without_an_answer_the_page_says_so_and_pretends_none() -> None:
    statements = [each for each in ANSWERED.statements if not each.front]
    text = answered(Assessment(assessment_id="as-3", statements=statements, inquiry=ANSWERED.inquiry))
    assert "The record has no answer to this as it was understood (about kidneys)." in text
    assert "beside the question: 2 alerts, 1 question (--more shows them)" in text
    assert not any(each.text in text for each in statements)


def test_the_words_of_the_evidence_are_read_where_everything_is_unfolded() -> None:
    alert = said(StatementKind.STATEMENT_KIND_ALERT, "Check whether metformin fits. “It is contraindicated.”", "egfr")
    alert.citations.add(passage_id="fda-metformin-renal")
    assessment = Assessment(statements=[ANSWERED.statements[0], alert])
    folded, whole = answered(assessment), answered(assessment, more=True)
    assert "• Check whether metformin fits." in [line.strip() for line in folded.splitlines()]
    assert "rule · evidence fda-metformin-renal · NW0002 OBX[3] OBX-5.1" in folded
    assert "“It is contraindicated.”" in whole


def test_what_stood_in_front_while_the_model_spoke_is_not_said_again_at_the_end() -> None:
    console, page = printed()
    whole = Page(console, ANSWERED.question)
    whole.show_front([each for each in ANSWERED.statements if each.front])
    at_once = page.getvalue()
    whole.show(ANSWERED)
    assert "eGFR fell" in at_once
    assert page.getvalue() == answered(ANSWERED)


def test_released_and_withheld_statements_stand_apart_with_pointers_and_reasons() -> None:
    text = answered(ASSESSMENT, more=True)
    assert text.index("Not to be missed") < text.index("Metformin is contraindicated") < text.index("Withheld")
    assert "rule metformin-renal · evidence fda-metformin-renal · NW0002 OBX[3] OBX-5.1" in text
    assert "unsupported: no fact says so" in text
    assert "[bold]gout[/bold]" in text, "text of a statement is shown, not obeyed"


def test_a_question_that_nothing_supports_is_shown_with_its_mark() -> None:
    question = AssessedStatement(
        text="Is the allergy confirmed?",
        kind=StatementKind.STATEMENT_KIND_QUESTION,
        verdict=Verdict.VERDICT_UNSUPPORTED,
        reason="code: it is in no source",
        released=True,
    )
    text = answered(Assessment(assessment_id="as-1", statements=[question]), more=True)
    lines = [line.strip() for line in text.splitlines()]
    assert lines[lines.index("• Is the allergy confirmed?") + 1] == "unsupported: code: it is in no source"
    assert "Withheld" not in lines


LETTER = "\r\n# Plan\r\n- 😀 eGFR is 28.\r\nTakes [bold]5 mg[/bold]."
CHECKED = CheckResponse(
    verdict=Verdict.VERDICT_CONTRADICTED,
    supported=1,
    contradicted=1,
    no_claim=1,
    degraded=["notes: only the newest were read"],
    spans=[
        CheckedSpan(start=4, end=8, verdict=Verdict.VERDICT_NO_CLAIM),
        CheckedSpan(
            start=14,
            end=25,
            verdict=Verdict.VERDICT_SUPPORTED,
            sections=["Plan"],
            citations=[Citation(fact_id="f-2026", source=SOURCE, quote="eGFR 28 2026-03-01")],
            assertions=[
                Assertion(
                    start=14,
                    end=24,
                    kind="measured",
                    arguments=[Argument(name="observable", text="eGFR"), Argument(name="number", text="28")],
                )
            ],
        ),
        CheckedSpan(
            start=27,
            end=51,
            sections=["Plan"],
            verdict=Verdict.VERDICT_CONTRADICTED,
            reason="dose: the record has 10 mg",
            claims=[
                Claim(
                    start=39, end=43, check="dose", verdict=Verdict.VERDICT_CONTRADICTED, reason="the record has 10 mg"
                )
            ],
            citations=[Citation(fact_id="m-1", source=SOURCE, quote="Metoprolol 10 mg")],
        ),
    ],
)


def test_a_checked_text_has_every_member_that_programs_rely_on() -> None:
    form = forms.check(pb.PatientKey(id="P1", authority="TEST"), Document("text", LETTER), CHECKED)
    assert {name: form[name] for name in ("patient", "verdict", "supported", "contradicted", "unsupported")} == {
        "patient": "P1@TEST",
        "verdict": "contradicted",
        "supported": 1,
        "contradicted": 1,
        "unsupported": 0,
    }
    assert form["degraded"] == ["notes: only the newest were read"]
    assert (form["format"], form["text"]) == ("text", None)
    plan, egfr, dose = form["spans"]
    assert (plan["text"], plan["verdict"], plan["reason"], plan["sources"]) == ("Plan", "no_claim", None, [])
    assert (egfr["text"], egfr["verdict"], egfr["sources"][0]["field"]) == ("eGFR is 28.", "supported", "OBX-5.1")
    (read,) = egfr["assertions"]
    assert (read["kind"], read["arguments"][1]) == ("measured", {"name": "number", "text": "28"})
    assert [(each["sections"], each["sentence"]) for each in (plan, egfr, dose)] == [
        ([], 1),
        (["Plan"], 1),
        (["Plan"], 2),
    ]
    assert LETTER[dose["claims"][0]["start"] : dose["claims"][0]["end"]] == "5 mg"
    json.dumps(form)


def test_a_checked_text_is_shown_with_what_the_record_says() -> None:
    console, page = printed()
    check.show(console, LETTER, CHECKED)
    text = page.getvalue()
    assert "✓ eGFR is 28." in text
    assert "NW0002 OBX[3] OBX-5.1: eGFR 28 2026-03-01" in text
    assert "× Takes [bold]5 mg[/bold]." in text, "the text is shown, not obeyed"
    assert "contradicted: dose: the record has 10 mg" in text
    assert [line.strip() for line in text.splitlines() if "sentence" in line] == [
        "Plan, sentence 1",
        "Plan, sentence 2",
    ]
    assert "incomplete: notes: only the newest were read" in text
    assert "1 supported, 1 contradicted, 0 unsupported" in text
    assert "measured" not in text


def test_a_checked_text_is_shown_as_it_was_read_when_asked() -> None:
    console, page = printed()
    check.show(console, LETTER, CHECKED, explain=True)
    assert "measured (“eGFR is 28”): observable eGFR, number 28" in page.getvalue()


@pytest.mark.parametrize(
    ("data", "because"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        ("Crêatinine".encode("latin-1"), "UTF-8"),
        (b"x" * 100_001, "more than 100,000 characters"),
        ("é".encode() * 200_001, "more than 100,000 characters"),
        ("Seen 😀.".encode("utf-16"), "UTF-8"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, because: str
) -> None:
    monkeypatch.setenv("LONGITUDE_REASONING", "127.0.0.1:1")
    path = tmp_path / "letter.txt"
    path.write_bytes(data)
    for arguments in ([str(path)], ["-"]):
        done = CliRunner().invoke(app, ["check", *arguments, "--patient", "P1@TEST"], input=data)
        assert done.exit_code == 1
        assert because in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_text_is_read_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes("\ufeffPlan\r\n😀".encode())
    assert check.read(str(path)) == Document("text", "\ufeffPlan\r\n😀")
    with pytest.raises(ClientError, match="No such file"):
        check.read(str(tmp_path / "missing"))


REVIEWED = ReviewedStatement(
    statement_id="s-1",
    decision=ReviewDecision.REVIEW_DECISION_EDITED,
    original="Takes 5 mg now.",
    text="Takes 10 mg.",
    spans=[
        ReviewedSpan(start=0, end=6, judgement=Judgement.JUDGEMENT_KEPT),
        ReviewedSpan(start=6, end=7, judgement=Judgement.JUDGEMENT_REPLACED, replacement="10"),
        ReviewedSpan(start=7, end=10, judgement=Judgement.JUDGEMENT_KEPT),
        ReviewedSpan(start=10, end=14, judgement=Judgement.JUDGEMENT_REMOVED),
        ReviewedSpan(start=14, end=15, judgement=Judgement.JUDGEMENT_KEPT),
    ],
    verdict=Verdict.VERDICT_CONTRADICTED,
    verdict_reason="dose: the record has 5 mg",
    episode_step=7,
)


def test_a_review_shows_what_was_taken_out_and_put_in_and_what_the_record_says() -> None:
    console, page = printed()
    review.show(console, [REVIEWED])
    assert [line.strip() for line in page.getvalue().splitlines()] == [
        "Takes [-5-]{+10+} mg[- now-].",
        "contradicted: dose: the record has 5 mg",
    ]
    form = forms.reviewed(REVIEWED)
    assert form["spans"][1] == {"start": 6, "end": 7, "judgement": "replaced", "replacement": "10"}
    assert (form["decision"], form["verdict"], form["episode_step"]) == ("edited", "contradicted", 7)
    json.dumps(form)


def test_a_trace_shows_effects_under_their_cause() -> None:
    data = b'{"recorded":"2026-01-01T00:00:00.000Z"}'
    cause = Leaf(event_id="e-1", topic="ingestion.message-received.v1", leaf_data=data)
    effect = Leaf(index=1, event_id="e-2", causation_id="e-1", topic="memory.record-updated.v1", leaf_data=data)
    console, page = printed()
    console.print(trace.tree_of("MSG1", [cause, effect], {}))
    cause_line, effect_line = (
        next(line for line in page.getvalue().splitlines() if topic in line)
        for topic in ("message-received", "record-updated")
    )
    assert effect_line.index("memory") > cause_line.index("ingestion")


def test_a_trace_names_place_and_reason_of_each_remark_and_says_when_they_are_gone() -> None:
    data = b'{"recorded":"2026-01-01T00:00:00.000Z"}'
    leaves = [Leaf(index=n, event_id=f"e-{n}", topic="ingestion.message-received.v1", leaf_data=data) for n in range(3)]
    remark = {"segment": "OBX[3]", "field": "OBX-5", "reason": "not a number; kept as text"}
    console, page = printed()
    console.print(trace.tree_of("MSG1", leaves, {0: [remark], 1: None}))
    assert page.getvalue().count("OBX[3] OBX-5: not a number; kept as text") == 1
    assert page.getvalue().count("Kafka, which has it no more") == 1


def test_a_refusal_is_a_remark_with_its_place_and_codes() -> None:
    payload = MessageRejected(
        acknowledgement_code="AE", condition_code="101", reason="PID-3 is missing", location="PID^1^3"
    )
    record = RawRecord("ingestion.message-rejected.v1", 0, 0, 0, b"", payload.SerializeToString(), {})
    assert remarks.of_record(record) == [
        {"segment": "PID^1^3", "field": "", "reason": "refused, AE 101: PID-3 is missing"}
    ]


def test_of_a_folder_messages_and_images_are_sent_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.hl7", "a.dcm", "LICENSE", "c.HL7", "x.tar.xz"):
        (tmp_path / name).write_bytes(b"x")
    assert [file.name for file in files_of([tmp_path])] == ["a.dcm", "b.hl7", "c.HL7"]
    assert files_of([tmp_path / "LICENSE"]) == [tmp_path / "LICENSE"], "a file that is named is sent"


def test_nothing_to_send_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="nothing to send"):
        files_of([tmp_path])
    with pytest.raises(ClientError, match="no such file"):
        files_of([tmp_path / "missing"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("timeline", "no-authority"),
        ("timeline", "P1@TEST", "--valid-at", "yesterday"),
        ("review", "as-1"),
        ("check", "letter.txt"),
        ("check", "letter.txt", "--follow", "--patient", "P1@TEST"),
        ("check", "letter.txt", "--patient", "no-authority"),
        ("review", "as-1", "--accept", "--reject"),
        ("context", "P1@TEST", "--question", "q", "--budget", "0"),
        ("find", "no-authority"),
        ("advise", "no-authority", "--drug", "naproxen"),
        ("find", "P1@TEST", "ldl", "--first", "--latest"),
        ("find", "P1@TEST", "--kind", "wishes"),
        ("evidence", "coverage", "no-authority"),
        ("send",),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_MEMORY", "127.0.0.1:1")
    monkeypatch.setenv("LONGITUDE_REASONING", "127.0.0.1:1")
    assert CliRunner().invoke(app, list(arguments)).exit_code == 2


def test_what_is_found_stands_on_a_line_each_with_its_kind_and_its_source() -> None:
    console, buffer = printed(160)
    allergy = pb.ClinicalFact(kind=pb.FACT_KIND_ALLERGY, note="hives", code=pb.CodedConcept(display="penicillin [all]"))
    console.print(find.page([result(2026, "28.50", "L"), RecordedFact(fact=allergy)]))
    page = buffer.getvalue()
    (first,) = [line for line in page.splitlines() if "28.50" in line]
    assert "result" in first
    assert "2026" in first
    (second,) = [line for line in page.splitlines() if "penicillin [all]" in line]
    assert "allergy" in second
    assert "hives" in second


def test_every_command_explains_itself() -> None:
    for command in (
        "send",
        "timeline",
        "find",
        "context",
        "ask",
        "advise",
        "mcp",
        "check",
        "review",
        "trace",
        "dead-letters",
        "evidence",
        "audit",
    ):
        answered = CliRunner().invoke(app, [command, "--help"])
        assert answered.exit_code == 0
        assert command in answered.output


def test_a_replay_says_what_came_out_the_same_and_what_differs_first() -> None:
    same = ReplayResponse(identical=True, steps=81, tokens=102, max_log_prob_gap=0.00003, model="reasoner ab12")
    assert replay.line_of(same).plain.startswith("identical: 102 tokens in 81 steps, log-probabilities within 3e-05")
    other = ReplayResponse(step=17, difference="action", steps=81, tokens=20, model="reasoner cd34")
    assert replay.line_of(other).plain.startswith("step 17 of 81: action differs (the same until there: 20 tokens")
    assert replay.form_of(other)["identical"] is False
    assert (replay.form_of(same)["step"], replay.form_of(other)["step"]) == (None, 17)


COVERAGE = GetEvidenceCoverageResponse(
    subjects=[
        EvidenceSubject(
            kind=pb.FACT_KIND_MEDICATION,
            concept=pb.CodedConcept(
                system="http://www.nlm.nih.gov/research/umls/rxnorm", code="6809", display="metformin"
            ),
            passage_ids=["metformin-1", "metformin-2", "metformin-3", "metformin-4"],
        ),
        EvidenceSubject(kind=pb.FACT_KIND_PROBLEM, concept=pb.CodedConcept(code="1", display="blighted ovum [rare]")),
    ],
    passages=477,
)


def test_what_the_library_says_nothing_about_stands_first() -> None:
    console, buffer = printed()
    console.print(evidence.coverage_page(COVERAGE))
    title, *rows = [line for line in buffer.getvalue().splitlines() if line.strip()]
    assert title.startswith("1 of 2 problems and drugs have a passage, of 477 in the library")
    assert [line.split() for line in rows if "metformin" in line or "ovum" in line] == [
        ["problem", "blighted", "ovum", "[rare]", "0", "none"],
        ["drug", "metformin", "4", "metformin-1,", "metformin-2,", "metformin-3", "…"],
    ]


def test_the_coverage_form_names_each_subject_and_its_passages() -> None:
    form = forms.coverage(COVERAGE)
    assert form["passages"] == 477
    assert [(each["kind"], each["display"], len(each["passage_ids"])) for each in form["subjects"]] == [
        ("medication", "metformin", 4),
        ("problem", "blighted ovum [rare]", 0),
    ]
    json.dumps(form)
