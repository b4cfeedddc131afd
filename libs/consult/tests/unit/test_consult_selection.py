"""The editor's part in an answer: what it may choose from, and what becomes of what it chose."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from consult import Budget, Chooser, Concluded, Driven, Identity, Prepared, Record, Timeline, conclude, drive, prepare
from consult.selection import MOST
from harness import Generate, Generated, ModelPin, Tokenizer, verify_chain
from longitude.record.v1.context_pb2 import Context
from practice.records import RecordBuilder
from testkit.choosing import alternatives, generated, tiny_tokenizer

NOW = datetime(2026, 10, 7, tzinfo=UTC)
PATIENT = RecordBuilder()


@dataclass
class Wishing:
    """Does what it is told while the grammar allows it, then finishes."""

    tokenizer: Tokenizer
    wishes: list[str]
    pin: ModelPin = field(default_factory=lambda: ModelPin("wishing", "ab" * 32))

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        return [self._one(request) for request in asked]

    def _one(self, request: Generate) -> Generated:
        allowed = {self.tokenizer.decode(ids): ids for ids in alternatives(request.grammar)}
        wish = self.wishes.pop(0) if self.wishes else "finish"
        return generated(allowed[wish])


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tiny_tokenizer("show finish A B C")


@pytest.fixture
def record() -> Record:
    """Kidneys that fail, thyroid, an allergy, an old fracture."""
    told = RecordBuilder()
    for day, value in (("2025-01-10", "1.1"), ("2025-09-10", "1.6"), ("2026-05-10", "2.1")):
        told.result("2160-0", "Creatinine", value, "mg/dL", day)
    told.result("3016-3", "Thyrotropin", "9.8", "m[IU]/L", "2026-05-10")
    told.problem("E03.9", "Hypothyroidism, unspecified", "2024-02-01")
    told.problem("S72.009A", "Fracture of femur", "2019-02-01")
    told.medication("10582", "Levothyroxine", "2025-06-01", dose="0.05", frequency="QD")
    told.allergy("7980", "Penicillin", "2012-01-01", reaction="rash")
    return Record(Timeline(told.facts, [told.patient]), Context(), (), NOW)


def prepared(question: str, record: Record) -> Prepared:
    return prepare(question, record, Budget(700), Identity.of(question), chooser=Chooser.EDITOR)


def edited(question: str, record: Record, tokenizer: Tokenizer, *wishes: str) -> tuple[Prepared, Concluded]:
    asked = prepared(question, record)
    model = Wishing(tokenizer, list(wishes))
    driven = Driven.begin(asked, model.pin, tokenizer)
    drive([driven], model)
    return asked, conclude(asked, driven.run, record.timeline.facts[0].fact.patient, model.pin, driven.at)


def in_front(concluded: Concluded) -> list[str]:
    return [each.text for each in concluded.assessment.statements if each.front and each.released]


def letter_of(asked: Prepared, words: str) -> str:
    """Of the candidate that is told in these words."""
    assert asked.selection is not None
    free = [each for each in asked.selection.offered if not each.mandatory]
    (place,) = (place for place, each in enumerate(free) if words in each.drafted.rendered.text)
    return chr(ord("A") + place)


def test_what_is_chosen_stands_in_front_in_its_order(record: Record, tokenizer: Tokenizer) -> None:
    question = "How are the kidneys?"
    asked = prepared(question, record)
    wishes = [f"show {letter_of(asked, words)}" for words in ("9.8", "Creatinine")]
    _, concluded = edited(question, record, tokenizer, *wishes)
    thyroid, kidneys = in_front(concluded)[:2]
    assert "9.8" in thyroid
    assert "reatinine" in kidneys
    verify_chain(concluded.episode)


def test_everything_else_is_folded_and_nothing_is_lost(record: Record, tokenizer: Tokenizer) -> None:
    asked = prepared("How are the kidneys?", record)
    wish = f"show {letter_of(asked, 'Fracture')}"
    _, concluded = edited("How are the kidneys?", record, tokenizer, wish)
    assert len(in_front(concluded)) == 1
    folded = " ".join(each.text for each in concluded.assessment.statements if not each.front)
    assert "reatinine" in folded
    assert all(each.released for each in concluded.assessment.statements if each.front)


def test_where_nothing_is_chosen_the_answer_of_the_rules_stands(record: Record, tokenizer: Tokenizer) -> None:
    asked, concluded = edited("How are the kidneys?", record, tokenizer)
    assert list(concluded.assessment.statements) == asked.checked
    assert in_front(concluded)


def test_an_allergy_to_the_drug_asked_about_is_shown_whatever_is_chosen(record: Record, tokenizer: Tokenizer) -> None:
    question = "Can I give amoxicillin?"
    asked = prepared(question, record)
    assert asked.selection is not None
    assert any(each.mandatory and "Penicillin" in each.drafted.rendered.text for each in asked.selection.offered)
    wish = f"show {letter_of(asked, 'Fracture')}"
    _, concluded = edited(question, record, tokenizer, wish)
    assert any(text.startswith("Allergy: Penicillin") for text in in_front(concluded))


def test_a_statement_names_the_turn_that_chose_it(record: Record, tokenizer: Tokenizer) -> None:
    asked = prepared("How are the kidneys?", record)
    _, concluded = edited("How are the kidneys?", record, tokenizer, f"show {letter_of(asked, 'Fracture')}")
    (chosen,) = (each for each in concluded.assessment.statements if each.front)
    assert concluded.episode.steps[chosen.episode_step].turn.role == "editor"


def test_what_the_rules_show_is_marked_and_what_is_offered_is_supported_and_told_once(record: Record) -> None:
    asked = prepared("How are the kidneys?", record)
    assert asked.selection is not None
    texts = [each.drafted.rendered.text for each in asked.selection.offered]
    assert len(texts) == len(set(texts)) <= MOST + 1
    assert {each.front for each in asked.selection.offered} == {True, False}


def test_what_goes_on_is_offered_before_what_only_is_newest() -> None:
    told = RecordBuilder()
    told.problem("E03.9", "Hypothyroidism, unspecified", "2014-02-01")
    told.medication("10582", "Levothyroxine", "2015-06-01", dose="0.05", frequency="QD")
    told.allergy("7980", "Penicillin", "2012-01-01", reaction="rash")
    for number in range(MOST + 6):
        told.result(f"{90000 + number}-0", f"Substance {number}", "1.0", "mg/dL", "2026-09-10")
    record = Record(Timeline(told.facts, [told.patient]), Context(), (), NOW)
    asked = prepared("How are the kidneys?", record)
    assert asked.selection is not None
    texts = [each.drafted.rendered.text for each in asked.selection.offered]
    assert len(texts) == MOST
    assert all(any(word in text for text in texts) for word in ("Hypothyroidism", "Levothyroxine", "Penicillin"))
