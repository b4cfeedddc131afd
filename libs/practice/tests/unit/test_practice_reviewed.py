"""What a physician did to an answer of the editor becomes what is right for the question."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from consult import Budget, Chooser, Concluded, Driven, Identity, Record, Timeline, conclude, drive, prepare
from harness import EpisodeTamperedError, Generate, Generated, ModelPin, Tokenizer, serialise
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.record.v1.context_pb2 import Context
from practice.records import RecordBuilder
from practice.reviewed import tasks
from testkit.choosing import alternatives, generated, tiny_tokenizer
from training.rollouts import best
from training.tasks import Task

QUESTION = "How are the kidneys?"
ACCEPTED, REJECTED = wire.REVIEW_DECISION_ACCEPTED, wire.REVIEW_DECISION_REJECTED


@dataclass(frozen=True)
class Sample:
    episode: bytes
    review: bytes | None
    episode_id: str = "e"


@dataclass
class Wishing:
    """Shows the candidates of these words, then finishes."""

    tokenizer: Tokenizer
    wishes: list[str]
    pin: ModelPin = field(default_factory=lambda: ModelPin("wishing", "ab" * 32))

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        allowed = [{self.tokenizer.decode(ids): ids for ids in alternatives(one.grammar)} for one in asked]
        return [generated(ways[self.wishes.pop(0) if self.wishes else "finish"]) for ways in allowed]


def answered(*words: str) -> Concluded:
    """An answer in which the editor showed the candidates that hold these words; none: it left the rules' choice."""
    told = RecordBuilder()
    for day, value in (("2025-01-10", "1.1"), ("2026-05-10", "2.1")):
        told.result("2160-0", "Creatinine", value, "mg/dL", day)
    told.result("3016-3", "Thyrotropin", "9.8", "m[IU]/L", "2026-05-10")
    told.problem("E03.9", "Hypothyroidism, unspecified", "2024-02-01")
    record = Record(Timeline(told.facts, [told.patient]), Context(), (), datetime(2026, 10, 7, tzinfo=UTC))
    prepared = prepare(QUESTION, record, Budget(700), Identity.of(QUESTION), chooser=Chooser.EDITOR)
    texts = [each.text for each in prepared.inputs.candidates]
    places = [next(place for place, text in enumerate(texts) if word in text) for word in words]
    tokenizer = tiny_tokenizer("show finish A B C")
    model = Wishing(tokenizer, [f"show {chr(ord('A') + place)}" for place in places])
    driven = Driven.begin(prepared, model.pin, tokenizer)
    drive([driven], model)
    return conclude(prepared, driven.run, told.patient, model.pin, driven.at)


def reviewed(concluded: Concluded, removed: str = "", added: str = "") -> list[Task]:
    """The task out of a review that accepts what stands in front, but takes out what holds `removed`."""
    statements = []
    for each in concluded.assessment.statements:
        if each.front:
            decision = REJECTED if removed and removed in each.text else ACCEPTED
            statements.append(
                wire.ReviewedStatement(decision=decision, original=each.text, episode_step=each.episode_step)
            )
    if added:
        span = wire.ReviewedSpan(judgement=wire.JUDGEMENT_ADDED, replacement=added)
        statements[-1].spans.append(span)
    review = AssessmentReviewed(statements=statements)
    return list(tasks([Sample(serialise(concluded.episode), review.SerializeToString())]))


def chosen(task: Task) -> list[str]:
    return [task.inputs.candidates[number - 1].text for number in best(task)]


def test_what_was_kept_is_wanted_and_what_was_removed_is_not() -> None:
    (task,) = reviewed(answered("Creatinine", "9.8"), removed="9.8")
    weights = {item.name.split()[0]: item.weight for item in task.known.items}
    assert weights["Creatinine"] > 0 > weights["TSH"]
    assert len(weights) == 2


def test_an_oracle_of_a_review_shows_what_the_physician_left() -> None:
    (task,) = reviewed(answered("9.8", "Hypothyroidism", "Creatinine"), removed="Creatinine")
    assert [text.split()[0] for text in chosen(task)] == ["TSH", "Hypothyroidism,"]


def test_what_was_added_is_wanted_where_it_is_the_text_of_a_candidate() -> None:
    concluded = answered("Creatinine")
    thyroid = next(each.text for each in concluded.assessment.statements if "9.8" in each.text)
    (task,) = reviewed(concluded, added=thyroid)
    assert [item.name for item in task.known.wanted][1:] == [thyroid]
    (unknown,) = reviewed(concluded, added="Kidneys are fine, go home.")
    assert len(unknown.known.items) == 1


def test_a_review_of_what_the_rules_showed_judges_the_rules() -> None:
    (task,) = reviewed(answered(), removed="Creatinine")
    assert [item.weight < 0 for item in task.known.items] == [True]


def test_nothing_is_learned_where_the_fate_of_what_was_shown_is_not_known() -> None:
    concluded = answered("Creatinine", "9.8")
    (first, *_) = [each for each in concluded.assessment.statements if each.front]
    partial = wire.ReviewedStatement(decision=ACCEPTED, original=first.text, episode_step=first.episode_step)
    review = AssessmentReviewed(statements=[partial]).SerializeToString()
    assert not list(tasks([Sample(serialise(concluded.episode), review)]))


def test_an_episode_without_a_review_is_no_task() -> None:
    assert not list(tasks([Sample(serialise(answered("9.8").episode), None)]))


def test_an_altered_episode_is_told() -> None:
    episode = answered("9.8").episode
    episode.inputs.question = "Another?"
    with pytest.raises(EpisodeTamperedError):
        list(tasks([Sample(serialise(episode), b"")]))
