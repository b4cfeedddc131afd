"""The editor chooses which of the statements that rules made stand in front."""

from datetime import UTC, datetime
from typing import Any

import pytest
from harness import SELECT, Generate, InputsRefusedError, ModelPin, Replay
from harness.actions import ActionRefusedError
from harness.guard import decide
from harness.roles import EDITOR, MOST_SHOWN
from harness.states import State
from harness.view import View
from testkit.choosing import alternatives

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
MODEL = ModelPin("test-model", "ab" * 32)


@pytest.fixture
def selection(story: Any) -> Any:
    """Ten candidates about facts of the record; the first is shown in any case."""
    story.inputs.flow = SELECT.name
    for number, held in enumerate(story.inputs.context.facts[:10]):
        text = f"{held.fact.code.display} is thing {number}"
        story.inputs.candidates.add(text=text, fact_ids=[held.fact.fact_id], mandatory=not number, front=number == 2)
    return story


def first_request(driver: Any) -> Generate:
    request = driver.requests[0]
    assert isinstance(request, Generate)
    return request


def test_the_editor_chooses_among_candidates_in_its_own_order(
    selection: Any, consult: Any, say: Any, drive: Any
) -> None:
    run = drive(say("show C", "show A")).drive(consult(selection.inputs))
    assert [each.number for each in run.outcome.shown] == [4, 2]
    assert all(run.recorded.steps[each.step].turn.role == "editor" for each in run.outcome.shown)


def test_it_reads_every_candidate_and_what_is_asked_last(
    selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    driver = drive(say())
    driver.drive(consult(selection.inputs))
    text = tokenizer.decode(first_request(driver).input_ids)
    assert "is thing 0\n" in text, "what is shown in any case has no handle"
    assert "is thing 1 A\n" in text
    assert text.count("* ") == 1 + EDITOR.task.count("* "), "what stands in front by rules is marked"
    assert text.count(f"Question: {selection.inputs.question}") == 2
    assert text.rindex("Question:") > text.index("is thing 9")


def test_it_may_do_nothing_else(selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any) -> None:
    driver = drive(say())
    driver.drive(consult(selection.inputs))
    offered = {tokenizer.decode(ids) for ids in alternatives(first_request(driver).grammar)}
    assert offered == {*(f"show {letter}" for letter in "ABCDEFGHI"), "finish"}


def test_what_is_shown_is_not_offered_again_and_an_answer_has_no_more_than_fits(
    selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    wishes = [f"show {letter}" for letter in "ABCDEFGH"]
    driver = drive(say(*wishes))
    run = driver.drive(consult(selection.inputs))
    assert len(run.outcome.shown) == MOST_SHOWN
    last = {tokenizer.decode(ids) for ids in alternatives(driver.requests[-1].grammar)}
    assert last == {"show F", "show G", "show H", "show I", "finish"}


def test_nobody_else_takes_part_and_the_episode_replays(
    selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    run = drive(say("show B")).drive(consult(selection.inputs))
    episode = run.close(START)
    drive(say("show B")).replay(Replay(episode, MODEL, tokenizer))
    assert {step.turn.role for step in episode.steps if step.HasField("turn")} == {"editor"}
    assert [step.decision.action.show.number for step in episode.steps if step.decision.action.HasField("show")] == [3]


def test_it_thinks_where_the_policy_lets_it_once_and_nobody_is_told(
    selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    selection.inputs.policy.think_tokens = 20
    wishes = say("think", *(f"show {letter}" for letter in "CABDEFG"))
    driver = drive(lambda asked: wishes(asked) if asked.grammar else tokenizer.encode("show A"))
    run = driver.drive(consult(selection.inputs))
    first, scratch, *others = driver.requests
    assert "think" in {tokenizer.decode(ids) for ids in alternatives(first.grammar)}
    assert (scratch.grammar, scratch.max_tokens) == ("", 20)
    assert all("think" not in {tokenizer.decode(ids) for ids in alternatives(one.grammar)} for one in others)
    assert [each.number for each in run.outcome.shown] == [4, 2, 3, 5, 6, 7], "thinking costs no choice"
    assert not run.outcome.written
    episode = run.close(START)
    assert [step.decision.action.think.tokens for step in episode.steps if step.decision.action.HasField("think")] == [
        20
    ]
    Replay(episode, MODEL, tokenizer)
    wishes = say("think", *(f"show {letter}" for letter in "CABDEFG"))
    drive(lambda asked: wishes(asked) if asked.grammar else tokenizer.encode("show A")).replay(
        Replay(episode, MODEL, tokenizer)
    )


def test_where_the_policy_does_not_let_it_thinking_is_neither_offered_nor_told(
    selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    driver = drive(say("show C"))
    driver.drive(consult(selection.inputs))
    assert "think" not in {tokenizer.decode(ids) for ids in alternatives(first_request(driver).grammar)}
    assert "think" not in tokenizer.decode(first_request(driver).input_ids)


def test_it_does_not_think_where_the_window_would_not_hold_its_choices(
    selection: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    driver = drive(say())
    driver.drive(consult(selection.inputs))
    read = len(first_request(driver).input_ids)
    selection.inputs.policy.think_tokens, selection.inputs.policy.window = 20, read + 100
    driver = drive(say())
    driver.drive(consult(selection.inputs))
    assert "think" not in {tokenizer.decode(ids) for ids in alternatives(first_request(driver).grammar)}


def test_a_candidate_that_names_what_is_not_there_is_refused(selection: Any, consult: Any) -> None:
    selection.inputs.candidates.add(text="Invented.", fact_ids=["nowhere"])
    with pytest.raises(InputsRefusedError, match="a candidate names a fact"):
        consult(selection.inputs)


@pytest.mark.parametrize("text", ["show", "show Z", "show A B", "show 1", "latest F1"])
def test_the_guard_lets_nothing_through_that_is_no_candidate(selection: Any, consult: Any, text: str) -> None:
    view = View(
        role=EDITOR,
        state=State.SELECT,
        sources=consult(selection.inputs)._sources,
        shown=99,
        done=frozenset(),
        drafted=0,
        tools=frozenset(),
        calls_left=0,
        team=("editor",),
    )
    with pytest.raises(ActionRefusedError):
        decide(text, view)
