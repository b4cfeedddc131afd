from collections.abc import Callable
from typing import Any

import pytest
from harness import (
    CallTool,
    EpisodeTamperedError,
    Failed,
    ModelPin,
    Replay,
    ReplayDifferenceError,
    ToolResult,
    episode_digest,
    parse,
    serialise,
    verify_chain,
)
from harness.episode import _previous
from longitude.reasoning.v1.episode_pb2 import Calculation, Episode
from longitude.record.v1.context_pb2 import Context

MODEL = ModelPin("test-model", "ab" * 32)


def a_tool(call: CallTool) -> Any:
    """Answers by what it is asked; some calls fail."""
    if call.tool == "read_document":
        return Failed("not found")
    found = Context()
    if call.tool == "calculate":
        value = Calculation(name=call.arguments["calculation"], fact_ids=[call.arguments["fact_id"]])
        value.about, value.purpose, value.text = call.arguments["fact_id"], call.purpose, "about 52"
        return ToolResult(found, (value,))
    found.passages.add(passage_id=call.arguments["code"], title=f"About {call.arguments['query']}")
    return ToolResult(found)


@pytest.fixture
def recorded(story: Any, consult: Any, at_random: Any, drive: Any) -> Callable[[int], Episode]:
    def record(seed: int) -> Episode:
        run = drive(at_random(seed), a_tool).drive(consult(story.inputs, seed))
        run.decide("gate", "released", "", run.recorded.steps[-1].at.ToDatetime())
        episode: Episode = run.close(run.recorded.steps[-1].at.ToDatetime())
        return episode

    return record


def rechained(episode: Episode) -> Episode:
    """A forged episode with a chain that holds."""
    for place, step in enumerate(episode.steps):
        step.index, step.previous_sha256 = place, _previous(episode, place)
    return episode


def from_record(again: Replay) -> None:
    pending = again.start()
    while not pending.finished:
        pending = again.resume(again.recorded_answers())


def test_every_recorded_episode_replays_to_itself(recorded: Any, at_random: Any, drive: Any, tokenizer: Any) -> None:
    calls = 0
    for seed in range(15):
        episode = recorded(seed)
        drive(at_random(seed), a_tool).replay(Replay(episode, MODEL, tokenizer))
        from_record(Replay(episode, MODEL, tokenizer))
        calls += sum(step.WhichOneof("content") == "tool" for step in episode.steps)
    assert calls > 3


def test_the_same_inputs_and_answers_give_the_same_bytes(recorded: Any) -> None:
    assert serialise(recorded(3)) == serialise(recorded(3))
    assert episode_digest(recorded(3)) != episode_digest(recorded(4))


def test_a_stored_episode_is_read_back_whole(recorded: Any, tokenizer: Any) -> None:
    episode = parse(serialise(recorded(5)))
    assert episode == recorded(5)
    from_record(Replay(episode, MODEL, tokenizer))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda e: e.steps[3].decision.MergeFrom(type(e.steps[3].decision)(reason="another")),
        lambda e: e.steps[1].turn.action_ids.append(7),
        lambda e: e.steps.pop(2),
        lambda e: e.steps[4].at.FromSeconds(1),
        lambda e: setattr(e.inputs, "question", "Another question?"),
        lambda e: setattr(e.pins, "seed", 99),
        lambda e: setattr(e, "episode_id", "another"),
    ],
)
def test_an_episode_that_was_tampered_with_is_detected(recorded: Any, tamper: Callable[[Episode], Any]) -> None:
    episode = recorded(1)
    tamper(episode)
    with pytest.raises(EpisodeTamperedError, match="does not follow"):
        verify_chain(episode)


def first_turn(episode: Episode) -> int:
    return next(place for place, step in enumerate(episode.steps) if step.WhichOneof("content") == "turn")


@pytest.mark.parametrize(
    ("forge", "what"),
    [
        (lambda turn: turn.action_ids.append(9), "action"),
        (lambda turn: turn.observation_ids.append(9), "observation"),
        (lambda turn: setattr(turn, "grammar_sha256", "0" * 64), "grammar"),
        (lambda turn: setattr(turn, "state", "draft"), "state"),
        (lambda turn: setattr(turn, "finish_reason", "length"), "finish reason"),
    ],
)
def test_the_first_difference_of_a_turn_is_named(
    recorded: Any, at_random: Any, drive: Any, tokenizer: Any, forge: Any, what: str
) -> None:
    episode = recorded(2)
    place = first_turn(episode)
    forge(episode.steps[place].turn)
    with pytest.raises(ReplayDifferenceError, match=f"step {place}: {what} differs"):
        drive(at_random(2), a_tool).replay(Replay(rechained(episode), MODEL, tokenizer))


@pytest.mark.parametrize(
    ("forge", "what"),
    [
        (lambda step: step.decision.action.say.fact_ids.append("another"), "decision"),
        (lambda step: step.decision.ClearField("action"), "decision"),
    ],
)
def test_a_forged_action_is_named(
    recorded: Any, at_random: Any, drive: Any, tokenizer: Any, forge: Any, what: str
) -> None:
    episode = recorded(2)
    place = next(step.index for step in episode.steps if step.decision.action.HasField("say"))
    forge(episode.steps[place])
    with pytest.raises(ReplayDifferenceError, match=f"step {place}: {what} differs"):
        drive(at_random(2), a_tool).replay(Replay(rechained(episode), MODEL, tokenizer))


def test_free_text_and_computed_values_replay_to_themselves(
    story: Any, consult: Any, say: Any, drive: Any, tokenizer: Any
) -> None:
    story.inputs.policy.prose_tokens = 20
    wishes = say("look calculate F4 for function", "calculate K1", "write")
    run = drive(wishes, a_tool).drive(consult(story.inputs))
    assert run.outcome.written
    assert run.outcome.statements
    at = run.recorded.steps[-1].at.ToDatetime()
    episode = run.close(at)
    drive(wishes, a_tool).replay(Replay(episode, MODEL, tokenizer))
    from_record(Replay(episode, MODEL, tokenizer))
    call = next(step for step in episode.steps if step.HasField("tool"))
    call.tool.calculations[0].text = "another value"
    forged = rechained(episode)
    with pytest.raises(ReplayDifferenceError, match="tool result differs"):
        from_record(Replay(forged, MODEL, tokenizer))
    with pytest.raises(ReplayDifferenceError, match="tool result differs"):
        drive(wishes, a_tool).replay(Replay(forged, MODEL, tokenizer))


def test_another_model_tokenizer_context_or_harness_is_named_before_anything_runs(
    recorded: Any, tokenizer: Any, other_tokenizer: Any
) -> None:
    episode = recorded(2)
    with pytest.raises(ReplayDifferenceError, match="model differs"):
        Replay(episode, ModelPin("test-model", "cd" * 32), tokenizer)
    with pytest.raises(ReplayDifferenceError, match="tokenizer differs"):
        Replay(episode, MODEL, other_tokenizer)
    episode.inputs.question = "Another question?"
    with pytest.raises(ReplayDifferenceError, match="context differs"):
        Replay(rechained(episode), MODEL, tokenizer)
    episode = recorded(2)
    episode.pins.harness_version = "0"
    with pytest.raises(ReplayDifferenceError, match="harness differs"):
        Replay(rechained(episode), MODEL, tokenizer)


def test_a_tool_that_answers_otherwise_now_is_named(recorded: Any, at_random: Any, drive: Any, tokenizer: Any) -> None:
    seed = next(s for s in range(40) if any(step.HasField("tool") for step in recorded(s).steps))

    def changed(call: CallTool) -> Any:
        return ToolResult(Context(omitted=len(call.tool)))

    with pytest.raises(ReplayDifferenceError, match="tool result differs"):
        drive(at_random(seed), changed).replay(Replay(recorded(seed), MODEL, tokenizer))


def test_a_model_that_answers_otherwise_now_is_named(recorded: Any, at_random: Any, drive: Any, tokenizer: Any) -> None:
    with pytest.raises(ReplayDifferenceError, match="action differs"):
        drive(at_random(77), a_tool).replay(Replay(recorded(2), MODEL, tokenizer))


def test_a_record_that_ends_early_is_named(recorded: Any, tokenizer: Any) -> None:
    episode = recorded(2)
    del episode.steps[6:]
    with pytest.raises(ReplayDifferenceError, match="length of the episode"):
        from_record(Replay(episode, MODEL, tokenizer))
