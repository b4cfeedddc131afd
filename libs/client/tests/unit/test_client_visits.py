"""Briefs, summaries and notes as they are shown, questions back, and courses as pictures."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from client import drawing, forms
from client.cli import ask
from client.cli.answer import Page
from client.cli.command import app
from client.errors import ClientError
from hypothesis import given
from hypothesis import strategies as st
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import SourcePointer
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

SOURCE = SourcePointer(control_id="NW0002", segment="OBX[3]", field="OBX-5.1", event_id="e-1")
_SVG = "{http://www.w3.org/2000/svg}"


def said(section: str, text: str, kind: wire.StatementKind.ValueType, *, front: bool = True) -> wire.AssessedStatement:
    return wire.AssessedStatement(
        statement_id=text[:8],
        text=text,
        kind=kind,
        author=wire.AUTHOR_RULE,
        author_name="brief",
        verdict=wire.VERDICT_SUPPORTED,
        released=True,
        front=front,
        section=section,
        citations=[wire.Citation(fact_id="f-1", source=SOURCE)],
    )


BLANK = wire.AssessedStatement(
    text="Examination:",
    kind=wire.STATEMENT_KIND_BLANK,
    verdict=wire.VERDICT_NO_CLAIM,
    released=True,
    front=True,
    section="Objective",
)
QUESTION = wire.QuestionBack(
    to=wire.ADDRESSEE_PATIENT,
    text="Is warfarin still taken?",
    because="Warfarin 5 mg: ordered on 2021-06-11, not renewed since.",
    would_change="If not, it falls away.",
    statement_ids=["s-1"],
    citations=[wire.Citation(fact_id="f-1", source=SOURCE)],
)
FORM = wire.Assessment(
    assessment_id="as-1",
    question="Note",
    form=wire.FORM_NOTE,
    statements=[
        said("Assessment", "Warfarin with ibuprofen. “Avoid both.” (FDA label)", wire.STATEMENT_KIND_ALERT),
        said("Assessment", "Atrial fibrillation since 2019-06-04.", wire.STATEMENT_KIND_PROBLEM),
        said("Plan", "No colonoscopy was found. “Adults ...” (USPSTF, grade A).", wire.STATEMENT_KIND_ABSENCE),
        BLANK,
        said("Plan", "Td was last given on 2011-09-28.", wire.STATEMENT_KIND_EVENT, front=False),
    ],
    questions=[QUESTION],
)


def course(*values: str) -> wire.Course:
    made = wire.Course(name="HbA1c", unit="%")
    for number, value in enumerate(values):
        point = made.points.add(value=value, fact_id=f"f-{number}", turning=number in (0, len(values) - 1))
        point.at.FromDatetime(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=200 * number))
    return made


def shown(assessment: wire.Assessment, *, more: bool = False, encoding: str = "utf-8") -> str:
    page = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    Page(Console(file=page, width=120, color_system=None), assessment.question, more=more).show(assessment)
    page.seek(0)
    return page.read()


def test_a_form_stands_under_its_headings_each_once_and_its_blanks_are_seen() -> None:
    text = shown(FORM)
    order = ["Note", "Assessment", "Warfarin with", "Atrial", "Plan", "No colonoscopy", "Objective", "Examination: ___"]
    assert sorted(order, key=text.index) == order
    assert text.count("\nAssessment\n") == 1
    assert "Td was last given" not in text
    assert "more: 1 statement" in text


def test_a_form_shows_what_is_asked_for_and_keeps_where_it_is_from_for_who_unfolds_it() -> None:
    folded, unfolded = shown(FORM), shown(FORM, more=True)
    assert "“Adults ...”" in folded
    assert not [each for each in ("USPSTF", "Avoid both", "OBX[3]") if each in folded]
    assert not [each for each in ("USPSTF", "Avoid both", "OBX[3]", "Td was last") if each not in unfolded]


def test_a_question_back_names_whom_it_is_for_and_what_it_would_change() -> None:
    text = shown(FORM)
    assert "Is warfarin still taken? (patient)" in text
    assert "If not, it falls away." in text
    assert "ordered on 2021-06-11" in shown(FORM, more=True)


def test_a_form_has_every_member_that_programs_rely_on() -> None:
    form = forms.assessment(FORM)
    assert (form["form"], form["specialty"]) == ("note", None)
    assert form["statements"][0]["section"] == "Assessment"
    assert form["statements"][3]["verdict"] == "no_claim"
    [asked] = form["questions"]
    assert (asked["to"], asked["statement_ids"]) == ("patient", ["s-1"])
    assert asked["sources"][0]["segment"] == "OBX[3]"
    assert forms.assessment(wire.Assessment())["form"] == "answer"


def test_an_answer_about_a_course_is_drawn_where_the_terminal_has_the_characters() -> None:
    told = wire.Assessment(question="HbA1c?", courses=[course("6.1", "7.9", "6.4")])
    told.inquiry.forms.append("course")
    assert "7.9 ┤" in shown(told)
    assert "┤" not in shown(told, encoding="cp1252")
    del told.inquiry.forms[:]
    assert "┤" not in shown(told)


def test_a_picture_says_its_highest_and_lowest_value_and_its_ends() -> None:
    title, *rows = drawing.lines(course("6.1", "7.9", "5.8", "6.4"))
    assert title == "HbA1c, %"
    assert rows[0].startswith("7.9 ┤")
    assert rows[drawing.ROWS - 1].startswith("5.8 ┤")
    assert "6.1 (2020-01-01)" in rows[drawing.ROWS]
    assert rows[drawing.ROWS].endswith("6.4 (2021-08-23)")


@given(st.lists(st.decimals(-1000, 1000, places=2), max_size=40))
def test_a_picture_has_its_size_whatever_the_values(values: list[object]) -> None:
    rows = drawing.lines(course(*map(str, values)))
    assert len(rows) in ((0,) if len(values) < 2 else (drawing.ROWS + 2, drawing.ROWS + 3))
    assert all(len(row) <= 3 * drawing.COLUMNS for row in rows)


def test_an_svg_has_a_panel_for_each_course_with_its_turning_points_and_no_markup_of_a_name() -> None:
    foreign = course("1", "2", "3")
    foreign.name = "<script>&"
    root = ET.fromstring(drawing.svg([course("6.1", "7.9"), foreign, course("5")]))
    panels = root.findall(f"{_SVG}g")
    assert len(panels) == 2
    texts = [each.text for each in panels[0].findall(f"{_SVG}text")]
    assert texts == ["HbA1c, %", "6.1 (2020-01-01)", "7.9 (2020-07-19)"]
    assert panels[1].findtext(f"{_SVG}text") == "<script>&, %"


def test_a_png_has_a_panel_for_each_course_with_a_line_its_dots_and_their_words() -> None:
    picture = Image.open(io.BytesIO(drawing.png([course("6.1", "7.9"), course("1", "2", "3"), course("5")])))
    assert (picture.format, picture.size) == ("PNG", (1440, 960))
    colours = {colour for _, colour in picture.getcolors(2**20) or ()}
    assert {(255, 255, 255), (0x1F, 0x6F, 0xEB), (0x22, 0x22, 0x22)} <= colours
    for panel in (picture.crop((0, 0, 1440, 480)), picture.crop((0, 480, 1440, 960))):
        inked = panel.convert("L").point([255 if level < 64 else 0 for level in range(256)]).getbbox()
        assert inked
        # The title at the top, the words of the last value at the right.
        assert inked[1] < 60
        assert inked[2] > 1200


def test_a_png_tells_other_values_by_another_picture() -> None:
    assert drawing.png([course("6.1", "7.9")]) != drawing.png([course("6.1", "7.8")])
    assert drawing.png([course("6.1", "7.9")]) == drawing.png([course("6.1", "7.9")])


def test_nothing_is_drawn_of_what_is_no_course() -> None:
    assert drawing.png([course("5")]) == b""
    assert drawing.svg([course("5")]) == ""
    assert drawing.lines(course("5", "positive")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("brief", "no-authority"),
        ("summary", "P1@TEST"),
        ("note", "no-authority"),
        ("ask", "P1@TEST", "HbA1c?", "--plot", "course.jpg"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_REASONING", "127.0.0.1:1")
    assert CliRunner().invoke(app, list(arguments)).exit_code == 2


@pytest.mark.parametrize("command", ["brief", "summary", "note"])
def test_every_command_explains_itself(command: str) -> None:
    answered = CliRunner().invoke(app, [command, "--help"])
    assert answered.exit_code == 0
    assert command in answered.output


def test_a_plot_is_written_beside_the_answer_or_the_reason_is_told(tmp_path: Path) -> None:
    file = tmp_path / "course.svg"
    assert ask.draw(wire.Assessment(courses=[course("6.1", "7.9")]), file)
    assert ET.parse(file).getroot().tag == f"{_SVG}svg"
    painted = tmp_path / "course.PNG"
    assert ask.draw(wire.Assessment(courses=[course("6.1", "7.9")]), painted)
    assert Image.open(painted).format == "PNG"
    with pytest.raises(ClientError, match="no course"):
        ask.draw(wire.Assessment(), file)
    with pytest.raises(ClientError, match="plot"):
        ask.draw(wire.Assessment(courses=[course("6.1", "7.9")]), tmp_path / "no" / "course.svg")


def test_a_png_writes_letters_that_it_lacks_as_the_nearest_ones() -> None:
    foreign, plain = course("1", "2"), course("1", "2")
    foreign.name, foreign.unit, plain.name, plain.unit = "Kälte", "µmol/m²", "Kalte", "umol/m2"
    assert drawing.png([foreign]) == drawing.png([plain])
