"""A whole consultation without a service: the record in, a checked assessment and its episode out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from consult import (
    Budget,
    Chooser,
    Driven,
    Identity,
    Prepared,
    Record,
    Timeline,
    Tools,
    conclude,
    consult,
    drive,
    drive_again,
    prepare,
)
from consult.rules import CITED_PASSAGES
from harness import (
    NO_MODEL,
    Generate,
    Generated,
    ModelPin,
    Replay,
    ReplayDifferenceError,
    Tokenizer,
    episode_digest,
    verify_chain,
)
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.context_pb2 import Context
from practice.records import RecordBuilder
from testkit.choosing import alternatives, generated, tiny_tokenizer

Patient = tuple[RecordBuilder, dict[str, str]]
NOW = datetime(2026, 10, 7, tzinfo=UTC)
QUESTION = "Do the medications still fit the kidney function?"


@dataclass(frozen=True)
class AtRandom:
    """Chooses among what the grammar allows."""

    salt: int = 0

    @property
    def pin(self) -> ModelPin:
        return ModelPin(f"random {self.salt}", "ab" * 32)

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        return [self._one(request) for request in asked]

    def _one(self, request: Generate) -> Generated:
        chance = random.Random(request.seed + self.salt + len(request.input_ids))
        if not request.grammar:
            return generated([chance.randrange(2, 258) for _ in range(request.max_tokens)], "length")
        return generated(chance.choice(alternatives(request.grammar)))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tiny_tokenizer("latest trend change medication allergy problem imaging evidence propose review finish F1 E2")


@pytest.fixture
def record(patient: Patient) -> Record:
    """Every fact on a line, every passage at hand."""
    builder, _ = patient
    context = Context(facts=builder.facts, passages=builder.passages)
    for number, each in enumerate(builder.facts):
        context.lines.add(text=f"Entry {number}", fact_id=each.fact.fact_id)
    timeline = Timeline(builder.facts, [builder.patient], builder.contradictions)
    return Record(timeline, context, tuple(builder.passages), NOW)


def test_the_same_record_choices_and_request_give_the_same_assessment_and_episode(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    one, other = (
        consult(QUESTION, record, patient[0].patient, AtRandom(), tokenizer, request_id="r") for _ in range(2)
    )
    assert one.assessment == other.assessment
    assert one.object_key == other.object_key
    assert consult(QUESTION, record, patient[0].patient, AtRandom(1), tokenizer, request_id="r") != one


def test_step_by_step_is_the_same_as_at_once(record: Record, patient: Patient, tokenizer: Tokenizer) -> None:
    model, key = AtRandom(), patient[0].patient
    prepared = prepare(QUESTION, record, Budget(700, 40), Identity.of("r"))
    driven = Driven.begin(prepared, model.pin, tokenizer)
    drive([driven], model)
    concluded = conclude(prepared, driven.run, key, model.pin, driven.at)
    assert concluded == consult(QUESTION, record, key, model, tokenizer, request_id="r")


@pytest.mark.parametrize("salt", range(5))
def test_whatever_is_chosen_only_what_is_supported_or_asked_is_released(
    salt: int, record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    concluded = consult(QUESTION, record, patient[0].patient, AtRandom(salt), tokenizer, request_id=str(salt))
    statements = concluded.assessment.statements
    released = [each for each in statements if each.released and each.kind != wire.STATEMENT_KIND_QUESTION]
    assert {each.verdict for each in released} == {wire.VERDICT_SUPPORTED}
    assert all(each.reason for each in statements if not each.released)
    assert {each.author for each in statements} == {wire.AUTHOR_RULE, wire.AUTHOR_MODEL}


def test_each_decision_of_the_gate_is_a_step_of_the_episode(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    concluded = consult(QUESTION, record, patient[0].patient, AtRandom(), tokenizer)
    verify_chain(concluded.episode)
    decided = [step.decision.what for step in concluded.episode.steps if step.decision.by == "gate"]
    assert [what.split()[1] for what in decided] == [each.statement_id for each in concluded.assessment.statements]


def test_episodes_driven_together_are_the_same_as_one_by_one(record: Record, tokenizer: Tokenizer) -> None:
    model = AtRandom()
    prepared = [prepare(QUESTION, record, Budget(700, 40), Identity.of(str(number))) for number in range(3)]
    together, alone = ([Driven.begin(each, model.pin, tokenizer) for each in prepared] for _ in range(2))
    drive(together, model)
    for each in alone:
        drive([each], model)
    digests = [[episode_digest(each.run.close(each.at)) for each in episodes] for episodes in (together, alone)]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


def test_a_recorded_episode_is_driven_again_to_the_same_end_and_by_no_other_model(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    model = AtRandom()
    concluded = consult(QUESTION, record, patient[0].patient, model, tokenizer)
    drive_again(concluded.episode, Tools.offline(record), model, tokenizer)
    with pytest.raises(ReplayDifferenceError):
        drive_again(concluded.episode, Tools.offline(record), AtRandom(1), tokenizer)


def test_passages_that_rules_quote_and_nobody_has_are_said_to_be_missing(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    concluded = consult(QUESTION, record, patient[0].patient, AtRandom(), tokenizer)
    missing = len(CITED_PASSAGES.keys() - {each.passage_id for each in record.passages})
    assert missing
    assert concluded.assessment.degraded[0].startswith(f"evidence: {missing} passages")


def of_rules(question: str, record: Record) -> Prepared:
    return prepare(question, record, Budget(700, 40), Identity.of("r"), chooser=Chooser.RULES)


def test_the_model_takes_part_where_it_is_asked_for(record: Record) -> None:
    assert prepare("How is the potassium?", record, Budget(700, 40), Identity.of("r"), chooser=Chooser.TEAM).deliberates
    assert not of_rules("How is the potassium?", record).deliberates


def test_nothing_stands_in_front_of_what_nobody_recorded(record: Record) -> None:
    assert of_rules("What does the horoscope say?", record).front == []


def test_the_rules_alone_make_a_whole_episode_that_replays_without_a_model(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    prepared = of_rules("How is the potassium?", record)
    run = prepared.begin(NO_MODEL, tokenizer)
    assert run.start(NOW).finished
    concluded = conclude(prepared, run, patient[0].patient, NO_MODEL, NOW)
    assert (concluded.assessment.model, list(concluded.assessment.statements)) == ("", prepared.checked)
    verify_chain(concluded.episode)
    steps = concluded.episode.steps
    assert {step.WhichOneof("content") for step in steps} == {"decision"}
    assert len(steps) == len(prepared.checked) + 2, "begun, one decision for each statement, closed"
    assert Replay(concluded.episode, NO_MODEL, tokenizer).start().finished


def test_what_stands_in_front_is_the_same_whether_the_model_takes_part_or_not(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    prepared = of_rules("How is the potassium?", record)
    whole = consult("How is the potassium?", record, patient[0].patient, AtRandom(), tokenizer, request_id="r")
    assert [each for each in whole.assessment.statements if each.front] == prepared.front


def test_an_assessment_says_how_the_question_was_understood(
    record: Record, patient: Patient, tokenizer: Tokenizer
) -> None:
    question = "Has his potassium changed since the zumba class?"
    inquiry = consult(question, record, patient[0].patient, AtRandom(), tokenizer).assessment.inquiry
    assert (inquiry.about[0], list(inquiry.forms)) == ("potassium", ["course", "since"])
    assert list(inquiry.unread) == ["zumba", "class"]


@pytest.mark.parametrize(
    ("question", "unread"),
    [
        ("What is new since 7 January 2025?", []),
        ("Is he allergic to penicillin? Any contraindication?", []),
        ("How are the kidneys doing, please?", []),
        ("Metformin with grapefruit?", ["grapefruit"]),
    ],
)
def test_only_words_that_say_something_and_were_not_read_are_told(
    question: str, unread: list[str], record: Record
) -> None:
    assert list(of_rules(question, record).inquiry.unread) == unread
