"""Authored questions as tasks of the editor, demonstrations, episodes of the real network, and a candidate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest
from engine import ModelFolder, open_folder
from engine.llama import load
from harness import Generate, Generated, ModelPin, Tokenizer
from practice.authored import HELD_BACK, authored, charts, held_back_questions, written_questions
from practice.charts import chart
from practice.editor import Editor
from practice.reviewed import Sample
from testkit.choosing import generated
from training.advantages import Length, Weighing, advantages
from training.curriculum import Curriculum
from training.policy import Policy
from training.rollouts import accepted, best, demonstrated, play
from training.samples import Ids, Rollout
from training.tasks import Task

MODELS = Path(__file__).resolve().parents[4] / "var" / "models"
CHART = 700312


@pytest.fixture(scope="session")
def tasks() -> list[Task]:
    """The first questions about one chart."""
    few = authored(lambda number: number == CHART)
    return list(islice(few, 6))


@pytest.fixture(scope="session")
def folder() -> ModelFolder:
    return open_folder(MODELS / "smollm2")


@pytest.fixture(scope="session")
def tokenizer(folder: ModelFolder) -> Tokenizer:
    return Tokenizer.from_json(folder.tokenizer.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def policy(folder: ModelFolder) -> Policy:
    return Policy(load(folder, threads=1), folder, folder.name)


def test_everything_that_a_question_wants_is_in_its_chart() -> None:
    for asked in written_questions():
        there = {(each.fact.kind, each.fact.code.code) for each in chart(asked.chart).facts}
        codes = {code for _, code in there}
        assert {thing.split(" ", 1)[1] for thing in asked.show} <= codes, asked


def test_no_question_is_asked_twice_of_a_chart_and_what_is_held_back_is_there() -> None:
    asked = [(each.chart, each.question) for each in written_questions()]
    assert len(asked) == len(set(asked))
    assert set(charts()) > HELD_BACK
    few = held_back_questions()[: len(HELD_BACK)]
    assert {each.chart for each in few} == HELD_BACK


def test_an_oracle_is_never_worth_less_than_the_rules(tasks: list[Task], policy: Policy, tokenizer: Tokenizer) -> None:
    groups = demonstrated(tasks, policy, tokenizer)
    assert any(best(task) for task in tasks)
    assert any(not best(task) for task in tasks)
    for task, (shown,) in zip(tasks, groups, strict=True):
        assert shown.reward >= accepted(task).reward
        assert len(shown.turns) == min(6, len(best(task)) + 1)


def test_credit_of_a_choice_lies_on_the_turn_that_made_it(
    tasks: list[Task], policy: Policy, tokenizer: Tokenizer
) -> None:
    (shown,) = next(
        group for task, group in zip(tasks, demonstrated(tasks, policy, tokenizer), strict=True) if best(task)
    )
    assert [span.turn for span in shown.spans if span.reward > 0] == list(range(len(shown.turns) - 1))


def test_a_group_is_drawn_by_the_network_as_serving_records_it(
    tasks: list[Task], policy: Policy, tokenizer: Tokenizer
) -> None:
    policy.renewed()
    (group,) = play(tasks[:1], policy, tokenizer, size=3, temperature=1.0, version=4)
    assert len({tuple(turn.action_ids for turn in each.turns) for each in group}) > 1
    for each in group:
        assert each.version == 4
        assert all(_is_whole(each))
    policy.renewed()
    (again,) = play(tasks[:1], policy, tokenizer, size=3, temperature=1.0, version=4)
    assert again == group


@dataclass
class Thinking:
    """Thinks, then shows the first that it may, then finishes; knows what was allowed as the network does."""

    policy: Policy
    tokenizer: Tokenizer
    wishes: list[str]

    @property
    def pin(self) -> ModelPin:
        return self.policy.pin

    def allowed(self, grammar: str, action: Ids) -> tuple[Ids, ...]:
        return self.policy.allowed(grammar, action)

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        return [generated(self.tokenizer.encode(self.wishes.pop(0) if one.grammar else "two labs")) for one in asked]


def test_a_scratch_is_counted_and_has_no_credit(tasks: list[Task], policy: Policy, tokenizer: Tokenizer) -> None:
    played = [
        play(tasks[:1], Thinking(policy, tokenizer, wishes), tokenizer, size=1, temperature=0.0, version=0, think=think)
        for wishes, think in ((["think", "show A", "finish"], 16), (["show A", "finish"], 0))
    ]
    (thought,), (straight,) = (groups[0] for groups in played)
    assert (thought.reward, thought.quality) == (straight.reward, straight.quality)
    assert [span.turn for span in thought.spans] == [span.turn + 2 for span in straight.spans]
    scratch = len(tokenizer.encode("two labs"))
    assert thought.tokens == straight.tokens + scratch + len(tokenizer.encode("think"))
    first, second = advantages((thought, straight), Weighing(length=Length(threshold=0.0)))
    assert sum(first) < sum(second)


def _is_whole(rollout: Rollout) -> list[bool]:
    """Every action token was allowed, and the sequence only grows."""
    return [
        token in allowed for turn in rollout.turns for token, allowed in zip(turn.action_ids, turn.allowed, strict=True)
    ]


def test_success_opens_the_next_stage_and_a_failure_none(tasks: list[Task]) -> None:
    course = Curriculum(stages=(1, 6), window=2, enough=0.7)
    assert course.stage([{"reward": 0.9}]) == 0
    assert course.stage([{"reward": 0.9}, {"reward": 0.6}]) == 1
    assert course.stage([{"reward": 0.1}] * 9) == 0
    opened = [course.open(tasks, lambda task: len(task.known.wanted), curve) for curve in ([], [{"reward": 1.0}] * 2)]
    assert len(opened[0]) < len(opened[1]) == len(tasks)


@dataclass
class Job:
    folder: Path
    job_id: str = "job"
    recipe: str = "editor"
    seed: int = 3
    steps: int = 2
    step: int = 0
    points: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)

    def samples(self) -> Iterator[Sample]:
        yield from ()


def test_a_training_ends_with_a_candidate_that_says_what_it_is_worth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGITUDE_MODELS_DIR", str(MODELS))
    job = Job(tmp_path)
    candidate = Editor(learned=4, judged=2, shown=2, compared=1, rollouts=2).run(
        job, lambda step, points: job.points.append((step, points))
    )
    assert [step for step, _ in job.points] == [1, 2]
    assert candidate.artifact.stat().st_size < 8 * 1024 * 1024
    gap, better, tokens = candidate.gates
    assert gap.figure < gap.bound
    assert better.bound == 0
    assert not tokens.at_least
    assert 0 <= candidate.figures["rules, reward"] <= 1
