"""An answer is credited with what it says and with nothing else; a folder's charts are read as by the services."""

import json
import lzma
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from consult import Record, Timeline
from consult.visits import passages
from longitude.record.v1.context_pb2 import Context, ContextLine
from practice.records import RecordBuilder
from testkit.questions import Falsehood, Gold, Question
from testkit.stories import story

from tests.evals import ablation, answers
from tests.evals.answers import bounds, from_folder, gold
from tests.evals.chain import library
from tests.evals.choosers import SIMPLE, Library
from tests.evals.heard import Cited, Row, Told, dates, is_dated, score
from tests.evals.packs import packed

LDL = Gold("fact", "last LDL", "result", "18262-6", "2020-06-11", name=r"\bldl\b", value=r"(?<![\d.])137(?!\.?\d)")
STATIN = Gold("fact", "statin", "medication", "36567", "2020-06-11", ("2011-06-14",), name="simvastatin")
PENICILLIN = Gold("fact", "penicillin", "allergy", "764146007", name="penicillin", safety=True)
NO_SCOPE = Gold("absence", "no colonoscopy", said=(r"\bno\b", "colonoscop"))
CITED = Cited(frozenset({"18262-6"}), "2020-06-11", "136.6 mg/dL", is_allergy=False)


def question(*gold: Gold) -> Question:
    return Question("1", "P@X", "state", "How is it?", gold, "ldl|statin", frozenset({"18262-6"}))


def row(patient: str, heard: int) -> Row:
    return Row(patient, "state", 2, heard, 0, 0, 1, 1, 10, 0, 0, 0, 0.1)


@pytest.mark.parametrize(
    "text",
    ["2020-06-11", "11 June 2020", "11. Jun 2020", "June 11, 2020", "06/11/2020", "11.06.2020", "on 11 Jun. 2020."],
)
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert [day for _, _, day in dates(text)] == ["2020-06-11"]


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("LDL 137 on 2020-06-11, 154 on 2012-01-01", True),
        ("LDL 154 on 2020-06-11, 137 on 2012-01-01", False),
        ("On 2020-06-11 the LDL was 137", True),
        ("137 (2012-01-01 and 2020-06-11)", True),
        ("137 (2012-01-01), again high on 2020-06-11", False),
    ],
)
def test_a_value_stands_with_the_days_that_follow_it_or_else_with_the_one_before(text: str, *, is_it: bool) -> None:
    assert is_dated(text, "137", "2020-06-11") is is_it


@pytest.mark.parametrize(
    ("statement", "gold", "is_said"),
    [
        (Told("LDL fell to 137 mg/dL (2020-06-11)."), LDL, True),
        (Told("LDL fell to 137 mg/dL."), LDL, False),
        (Told("It fell to 137 mg/dL.", (CITED,)), LDL, False),
        (Told("LDL was 154 mg/dL on 2020-06-11.", (CITED,)), LDL, False),
        (Told("Simvastatin, first ordered on 2011-06-14."), STATIN, True),
        (Told("Simvastatin, first ordered on 2013-06-14."), STATIN, False),
        (Told("Allergy: penicillin, hives."), PENICILLIN, True),
        (Told("Penicillin was given."), PENICILLIN, False),
        (Told("No colonoscopy was found."), NO_SCOPE, True),
        (Told("Colonoscopy on 2014-04-28."), NO_SCOPE, False),
    ],
)
def test_gold_is_said_only_by_a_statement_that_says_it(statement: Told, gold: Gold, *, is_said: bool) -> None:
    assert statement.says(gold) is is_said


def test_gold_stands_in_a_pack_by_its_words_or_by_the_very_fact_and_nothing_else_counts() -> None:
    known = {
        "a": replace(CITED, value="137 mg/dL"),
        "b": Cited(frozenset({"18262-6"}), "2011-06-11", "137 mg/dL", is_allergy=False),
    }
    lines = [ContextLine(text="Problem: gout", fact_id="b"), ContextLine(text="Evidence: LDL.", passage_id="p")]
    assert packed(question(LDL, NO_SCOPE), lines, known) == (0, 1)
    assert packed(question(LDL, NO_SCOPE), [*lines, ContextLine(text="x", fact_id="a")], known) == (1, 1)
    said = ContextLine(text="LDL 137 mg/dL, 2020-06-11", fact_id="b")
    assert packed(question(LDL, STATIN), [said], known) == (1, 2)


def test_a_cited_value_needs_no_name_and_no_day() -> None:
    cited = Cited(frozenset({"18262-6"}), "2020-06-11", "137 mg/dL", is_allergy=False)
    assert Told("It fell to 137 mg/dL.", (cited,)).says(LDL)


def test_an_answer_is_counted_by_what_stands_in_it() -> None:
    false = Falsehood("statin in use", "statin[^.]*active", unless="allerg")
    told = [Told("Allergy: penicillin."), Told("Simvastatin, active since 2013-01-01."), Told("LDL 137 (2020-06-11).")]
    counted = score(question(PENICILLIN, LDL, STATIN), told, [false], 0.5)
    assert (counted.said, counted.gold, counted.safety_said, counted.opens_with_gold) == (2, 3, 1, 1)
    assert (counted.statements, counted.concerning, counted.false_states, counted.wrong_first) == (3, 3, 1, 0)
    assert counted.characters == sum(len(each.text) for each in told)


def test_an_empty_answer_says_nothing_and_opens_with_nothing() -> None:
    counted = score(question(LDL), [], [], 0.5)
    assert (counted.said, counted.statements, counted.opens_with_gold) == (0, 0, 0)


def test_bounds_are_drawn_over_patients_and_hold_the_figure() -> None:
    rows = [row(f"P{number}", number % 3) for number in range(30)]
    low, high = bounds(gold, rows, 0)
    assert low < gold(rows) < high
    assert bounds(gold, [row("P1", 1)] * 9, 0) == (0.5, 0.5)


def test_a_simple_chooser_takes_six_facts_that_are_in_force() -> None:
    record = RecordBuilder()
    ids = [record.creatinine(f"1.{number}", f"20{number + 10}-01-01") for number in range(9)]
    record.supersede(ids[8], ids[7], "2019-02-01")
    made = Record(Timeline(record.facts, [record.patient]), Context(), (), datetime(2026, 1, 1, tzinfo=UTC))
    library = Library.of(made)
    told = {name: choose("creatinine 2011", library) for name, choose in SIMPLE.items()}
    assert {len(own) for own in told.values()} == {6}
    assert not any("2018-01-01" in each.text for own in told.values() for each in own)
    assert told["most recent first"][0].text.count("2017-01-01") == 1
    assert {name: "2011-01-01" in told[name][0].text for name in ("words", "BM25")} == {"words": True, "BM25": True}


@pytest.mark.parametrize("packed", [False, True])
def test_a_folders_questions_are_asked_of_the_charts_in_it(tmp_path: Path, *, packed: bool) -> None:
    told = story(7)
    name, stream = f"{told.patient_id}@{told.authority}", b"".join(b"\x0b" + each + b"\x1c\r" for each in told.messages)
    gold = [{"what": "absence", "label": "none", "said": ["no"], "day": None}]
    asked = {
        "id": "1",
        "patient": name,
        "kind": "state",
        "question": "How are the kidneys?",
        "gold": gold,
        "topic": "x",
    }
    (tmp_path / "hl7").mkdir()
    (tmp_path / "questions.jsonl").write_text(json.dumps(asked) + "\n")
    (tmp_path / "patients.json").write_text(json.dumps({name: {"false_states": [{"label": "x", "pattern": "y"}]}}))
    file = tmp_path / "hl7" / f"{told.patient_id}.hl7{'.xz' if packed else ''}"
    file.write_bytes(lzma.compress(stream) if packed else stream)
    patient = from_folder(tmp_path, 0, 0, 0)
    assert [each.question for each in patient.questions] == ["How are the kidneys?"]
    assert [each.label for each in patient.false] == ["x"]
    results = {each.fact.quantity.value for each in patient.record.timeline.facts}
    assert {str(result.value) for result in told.truth.results} <= results
    assert len(from_folder(tmp_path, 0, 5, 0).questions) == 5


def test_each_chooser_answers_the_same_questions() -> None:
    rows = answers.answered("", 3, 0, range(1))
    assert {len(own) for own in rows.values()} == {3}
    assert {tuple((each["gold"], each["kind"]) for each in own) for own in rows.values()} == {
        tuple((each["gold"], each["kind"]) for each in rows["longitude"])
    }


def test_the_shipped_library_has_every_passage_that_says_what_is_due() -> None:
    assert passages().keys() <= {each.passage_id for each in library()}


@pytest.mark.parametrize("name", [*ablation.PARTS, "form last"])
def test_a_part_is_taken_away_while_the_question_is_answered_and_then_is_back(name: str) -> None:
    asked = ablation.Asked("When was the last colonoscopy, and can she take ibuprofen?", _record_of_a_day())
    before = asked.answer()
    asked.without(name)
    assert asked.answer() == before


def test_a_form_that_is_taken_away_is_not_asked_and_one_that_is_not_asked_changes_nothing() -> None:
    asked = ablation.Asked("How did the HbA1c develop?", _record_of_a_day())
    assert asked.without("form course") is not None
    assert asked.without("form screening") is None


def _record_of_a_day() -> Record:
    record = RecordBuilder()
    record.born("1957-04-18", "F")
    record.procedure("73761001", "Colonoscopy (procedure)", "2013-04-03")
    record.medication("5640", "ibuprofen", "2014-05-06", dose="400", end="2014-06-06")
    for value, day in (("6.1", "2015-02-03"), ("6.4", "2019-03-05"), ("5.9", "2025-08-04")):
        record.result("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", value, "%", day)
    return Record(Timeline(record.facts, [record.patient]), Context(), (), datetime(2026, 1, 1, tzinfo=UTC))
