"""A worklist as a person reads it, and as a program does."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from client import forms
from client.cli.concern import show
from client.terminal import Screen
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1.fact_pb2 import SourcePointer

NOW = datetime(2026, 10, 7, 8, tzinfo=UTC)


def concern(patient: str = "1", *, row: str = "criticals/potassium", cause: str = "potassium") -> pb.Concern:
    made = pb.Concern(
        concern_id="c-1", row=row, version=1, subject=cause, cause=cause, urgency=advice_pb2.URGENCY_URGENT
    )
    made.patient.id, made.patient.authority = patient, "NORTH"
    made.state, made.revision, made.interruptive = pb.CONCERN_STATE_OPEN, 2, True
    made.text, made.source = "Potassium was 6.7 mmol/L on 2026-10-06.", "A guideline, section 1, 2023"
    where = SourcePointer(control_id="MSG1", segment="OBX[1]", field="OBX-5")
    made.citations.append(Citation(fact_id="f1", source=where))
    made.opened_at.FromDatetime(NOW - timedelta(minutes=3))
    made.changed_at.FromDatetime(NOW)
    return made


def printed(*concerns: pb.Concern, hidden: int = 0) -> str:
    out = io.StringIO()
    listed = pb.ListConcernsResponse(concerns=concerns, hidden=hidden)
    show(Screen(file=out, width=200), listed, NOW)
    return out.getvalue()


def test_a_concern_says_whom_what_since_when_and_why() -> None:
    page = printed(concern())
    for words in ("1@NORTH", "! urgent", "3 min", "6.7 mmol/L on 2026-10-06", "criticals/potassium@1", "MSG1 OBX[1]"):
        assert words in page


def test_concerns_of_one_cause_stand_under_one_heading() -> None:
    page = printed(concern(), concern("2"), concern(row="organs/raised-potassium"))
    assert page.count("1@NORTH") == 1
    assert page.index("organs/raised-potassium") < page.index("2@NORTH")


def test_of_what_is_not_shown_there_is_a_count_and_no_word_more() -> None:
    assert printed(hidden=2).splitlines() == ["nothing is open here", "2 concerns are not shown"]


def test_what_was_done_stands_beside_it() -> None:
    done = concern()
    done.act.action, done.act.reason, done.act.by.name = pb.CONCERN_ACTION_DISMISS, "haemolysed sample", "Dr A"
    assert "dismissed by Dr A: haemolysed sample" in printed(done)


def test_a_program_reads_the_same() -> None:
    form = forms.concern(concern())
    assert (form["patient"], form["urgency"], form["state"], form["act"]) == ("1@NORTH", "urgent", "open", None)
    assert form["sources"][0]["segment"] == "OBX[1]"
