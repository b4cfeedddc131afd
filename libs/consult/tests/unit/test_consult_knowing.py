"""Rows of knowledge speak in answers, of what is taken and of the drug asked about, named with their version."""

from datetime import UTC, date, datetime

import pytest
from consult import Record, Timeline
from consult.consultation import Chooser, prepare
from consult.identity import Identity
from consult.inputs import Budget
from knowledge import Knowledge, shipped
from knowledge.library import Silence
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement
from longitude.record.v1.context_pb2 import Context
from practice.records import PATIENT, RecordBuilder

_IDENTITY = Identity.of("test")


def answered(record: RecordBuilder, question: str, knowledge: Knowledge | None = None) -> list[AssessedStatement]:
    asked_at = datetime(2026, 10, 7, tzinfo=UTC)
    timeline = Timeline(record.facts, [PATIENT])
    own = Record(timeline, Context(), (), asked_at, knowledge=knowledge or shipped())
    return prepare(question, own, Budget(500), _IDENTITY, chooser=Chooser.RULES).checked


@pytest.fixture
def taking_warfarin() -> RecordBuilder:
    record = RecordBuilder()
    record.medication("11289", "warfarin", "2026-09-01")
    return record


def rows(statements: list[AssessedStatement]) -> list[str]:
    return [each.row for each in statements if each.row]


def test_two_drugs_that_are_taken_raise_an_alert_that_names_row_and_version(taking_warfarin: RecordBuilder) -> None:
    taking_warfarin.medication("41493", "meloxicam", "2026-09-20")
    alerts = [each for each in answered(taking_warfarin, "What is taken?") if each.row]
    assert [each.row for each in alerts] == ["interactions/warfarin-nsaid@1"]
    (alert,) = alerts
    assert alert.released
    assert (alert.kind, alert.author_name) == (wire.STATEMENT_KIND_ALERT, "interactions")
    assert alert.text.startswith("Meloxicam (NSAID) was ordered on 2026-09-20 and not renewed since, while warfarin")
    assert "interactions/warfarin-nsaid version 1" in alert.text
    assert {each.passage_id for each in alert.citations} == {"", "knowledge.interactions.warfarin-nsaid.1"}


def test_the_drug_that_a_question_asks_to_be_given_meets_what_is_taken_in_front(taking_warfarin: RecordBuilder) -> None:
    front = [each for each in answered(taking_warfarin, "Can I give fluconazole?") if each.front]
    assert rows(front) == ["interactions/warfarin-azole@1"]
    assert front[0].text.startswith("Warfarin was ordered on 2026-09-01")
    assert all(each.released for each in front)


@pytest.mark.parametrize("question", ["Was fluconazole ever given?", "Is cetirizine safe?", "How is the sodium?"])
def test_no_row_speaks_of_a_drug_that_is_not_to_be_given(question: str, taking_warfarin: RecordBuilder) -> None:
    assert rows(answered(taking_warfarin, question)) == []


def test_what_was_ordered_years_ago_meets_nothing(taking_warfarin: RecordBuilder) -> None:
    taking_warfarin.medication("5640", "ibuprofen", "2019-01-01")
    assert rows(answered(taking_warfarin, "What is taken?")) == []


def test_a_row_says_nothing_that_a_rule_said_of_the_same_facts() -> None:
    record = RecordBuilder()
    record.medication("7258", "naproxen", "2026-09-20")
    record.medication("5640", "ibuprofen", "2026-09-21")
    said = answered(record, "What is taken?")
    assert [(each.author_name, each.row) for each in said if each.row] == [
        ("two_drugs_of_one_class", "duplicates/two-nsaids@1")
    ]


def test_a_silenced_row_does_not_speak(taking_warfarin: RecordBuilder) -> None:
    taking_warfarin.medication("41493", "meloxicam", "2026-09-20")
    own = shipped()
    silence = Silence("interactions", "warfarin-nsaid", "a study of it", "Dr A. Example", date(2026, 12, 31))
    assert rows(answered(taking_warfarin, "What is taken?", Knowledge(own.rows, (silence,), own.documents))) == []


def test_an_alert_that_may_wait_stands_behind(taking_warfarin: RecordBuilder) -> None:
    taking_warfarin.medication("723", "amoxicillin", "2026-10-01")
    said = answered(taking_warfarin, "How is the warfarin dosed?")
    assert [each.front for each in said if each.row == "interactions/warfarin-antibacterial@1"] == [False]


def test_a_rule_is_silent_where_all_rows_that_it_stands_on_are(taking_warfarin: RecordBuilder) -> None:
    taking_warfarin.medication("6809", "metformin", "2026-09-01")
    taking_warfarin.egfr("25", "2026-10-01")
    own = shipped()
    silences = tuple(
        Silence("organs", row, "a study of it", "Dr A. Example", date(2026, 12, 31))
        for row in ("biguanide-contraindicated", "biguanide-reassess")
    )
    assert "organs/biguanide-contraindicated@1" in rows(answered(taking_warfarin, "What is taken?"))
    silent = answered(taking_warfarin, "What is taken?", Knowledge(own.rows, silences, own.documents))
    assert "metformin_and_kidney_function" not in {each.author_name for each in silent}
