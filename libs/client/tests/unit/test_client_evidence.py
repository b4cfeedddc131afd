"""How evidence is signed on the command line, and what a person who decides about it is shown."""

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from client import forms
from client.cli import assessment, quarantine
from client.cli.answer import Page
from client.cli.command import app
from client.cli.page import source
from contracts.packages import read
from contracts.publishers import read_publishers, verify
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.events_pb2 import Actor, DoseConflict
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment, Citation, Notice, ReviewDecision
from longitude.reasoning.v1.reasoning_service_pb2 import GetAssessmentResponse
from longitude.record.v1.context_pb2 import Passage, PassageRelease
from rich.console import Console
from typer.testing import CliRunner

AT = Timestamp(seconds=1_800_000_000)
LINE = '{"passageId": "one", "title": "One", "text": "A text."}\n'
CONFLICT = DoseConflict(
    edition_id="dose@1",
    drug="metformin",
    said="4000",
    allowed="2000",
    unit="mg/d",
    words="4000 mg per day [all]",
    source="KDIGO 2022",
    condition="eGFR below 45",
    source_words="At most 2 g.",
)
WAITING = pb.EvidenceEdition(
    edition_id="dose@1",
    passage=Passage(passage_id="dose", title="The dose", text="Double it.", source="A society"),
    state=pb.EVIDENCE_STATE_QUARANTINED,
    imported_by=Actor(issuer="i", subject="s", name="Dr Carl"),
    imported_at=AT,
    approvals=[pb.EvidenceApproval(by=Actor(name="Dr Anna"), reason="a trial", approved_at=AT)],
    conflicts=[CONFLICT],
    replaces="dose@0",
)
NOTICE = Notice(
    edition_id="dose@1",
    passage_id="dose",
    title="The dose",
    reason="the trial was retracted",
    withdrawn_by="Dr Ben",
    withdrawn_at=AT,
    statement_ids=["s1", "s2"],
)


def cited(*approved_by: str, publisher: str = "society") -> forms.Form:
    release = PassageRelease(edition_id="dose@1", publisher=publisher, approved_by=approved_by)
    return forms.citation(Citation(passage_id="dose", release=release))


def text_of(lines: object) -> str:
    console = Console(file=StringIO(), width=200)
    for line in lines if not isinstance(lines, str) else [lines]:  # type: ignore[attr-defined]
        console.print(line)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_what_the_command_signs_a_service_that_trusts_the_key_takes(tmp_path: Path) -> None:
    key, package = tmp_path / "society.key", tmp_path / "package.jsonl"
    package.write_text(LINE)
    made = CliRunner().invoke(app, ["evidence", "key", "society", str(key)])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    signing = ["evidence", "sign", str(package), "--key", str(key), "--edition", "2026", "--date", "2026-11-28"]
    assert CliRunner().invoke(app, signing).exit_code == 0
    signed = read(package.read_text())
    assert signed.manifest is not None
    assert (signed.manifest.publisher, signed.manifest.edition) == ("society", "2026")
    verify(signed.manifest, signed.passages, read_publishers(made.output))
    assert package.read_text().endswith(LINE)


def test_a_key_is_never_written_over_a_file(tmp_path: Path) -> None:
    key = tmp_path / "society.key"
    key.write_text("precious")
    assert CliRunner().invoke(app, ["evidence", "key", "society", str(key)]).exit_code == 2
    assert key.read_text() == "precious"


@pytest.mark.parametrize("text", ["", "not a key", "PRIVATE+KEY+society+00000000+AQ=="])
def test_with_what_is_no_key_nothing_is_signed(tmp_path: Path, text: str) -> None:
    key, package = tmp_path / "society.key", tmp_path / "package.jsonl"
    key.write_text(text)
    package.write_text(LINE)
    assert CliRunner().invoke(app, ["evidence", "sign", str(package), "--key", str(key)]).exit_code == 2
    assert package.read_text() == LINE


def test_a_file_that_is_no_package_is_a_wrong_command_line_that_names_the_line(tmp_path: Path) -> None:
    package = tmp_path / "package.jsonl"
    package.write_text(LINE + '{"nonsense": 1}\n')
    answered = CliRunner().invoke(app, ["evidence", "load", str(package)])
    assert answered.exit_code == 2
    assert "line 2" in answered.output


def test_who_decides_sees_the_words_both_numbers_and_who_approved_before() -> None:
    shown = text_of(quarantine.edition_lines(WAITING))
    for told in ("quarantined", "Double it.", "unsigned, local", "imported by Dr Carl", "takes the place of dose@0"):
        assert told in shown
    assert "metformin 4000 mg/d, above 2000 mg/d with eGFR below 45 (KDIGO 2022)" in shown
    assert "“At most 2 g.”" in shown
    assert "approved by Dr Anna: a trial" in shown


def test_the_list_names_state_edition_publisher_and_conflicts() -> None:
    shown = text_of([quarantine.list_page([WAITING])])
    assert "quarantined" in shown
    assert "dose@1" in shown
    assert "1 doses conflict" in shown


def test_the_form_of_an_edition_has_what_a_program_needs_to_decide() -> None:
    form = forms.evidence_edition(WAITING)
    assert (form["edition_id"], form["state"], form["publisher"]) == ("dose@1", "quarantined", None)
    assert [(each["said"], each["allowed"]) for each in form["conflicts"]] == [("4000", "2000")]
    assert [each["name"] for each in form["approvals"]] == ["Dr Anna"]
    json.dumps(form)


def test_the_source_line_of_evidence_says_who_approved_it() -> None:
    assert source(cited("Dr Anna", "Dr Ben")) == "evidence dose (approved by Dr Anna and Dr Ben)"
    assert (
        source(cited("Dr Anna", "Dr Ben", publisher="")) == "evidence dose (approved by Dr Anna and Dr Ben, unsigned)"
    )
    assert source(cited()) == "evidence dose (shipped)"
    assert source(forms.citation(Citation(passage_id="dose"))) == "evidence dose"


def test_an_assessment_says_what_of_its_evidence_was_withdrawn_why_and_by_whom() -> None:
    written = Assessment(question="?", statements=[AssessedStatement(text="Yes.", released=True, front=True)])
    console = Console(file=StringIO(), width=200)
    Page(console, "?").show(written, [NOTICE])
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "evidence withdrawn: The dose (dose): the trial was retracted · Dr Ben, 2027-01-15 · 2 statements" in shown
    stored = GetAssessmentResponse(
        assessment=written, notices=[NOTICE], decision=ReviewDecision.REVIEW_DECISION_ACCEPTED
    )
    form = assessment.form_of(stored)
    assert (form["decision"], form["notices"][0]["statement_ids"]) == ("accepted", ["s1", "s2"])
    assert forms.assessment(written)["notices"] == []
