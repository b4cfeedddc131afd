"""Replay: the same inputs driven again, compared step by step, ending at the first difference.

A replay fails closed. It never goes on after a difference, and names it: harness, model, tokenizer, context, grammar,
observation, action, tool call, tool result, decision.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from longitude.reasoning.v1.episode_pb2 import Episode, ModelTurn, Pins, Step, ToolCall

from harness.consultation import Consultation
from harness.episode import verify_chain
from harness.protocol import Answer, CallTool, Failed, Generate, Generated, ModelPin, Round, ToolResult
from harness.tokenizer import Tokenizer


class ReplayDifferenceError(Exception):
    """The replay is not the recorded episode; names the step and what differs first."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"step {step}: {what} differs")
        self.step, self.what = step, what


# What is compared of a step, in the order in which a difference explains the later ones.
_PINS = ("harness_version", "model", "model_sha256", "tokenizer_sha256", "context_sha256", "seed")
_TURN = {
    "role": "role",
    "state": "state",
    "observation_ids": "observation",
    "grammar_sha256": "grammar",
    "action_ids": "action",
    "finish_reason": "finish reason",
}
_TOOL = {
    "role": "role",
    "tool": "tool call",
    "arguments": "tool call",
    "purpose": "tool call",
    "would_change": "tool call",
    "result_sha256": "tool result",
    "result": "tool result",
    "calculations": "tool result",
    "error": "tool result",
}
_DECISION = {"by": "decision", "what": "decision", "reason": "decision", "action": "decision"}


class Replay:
    """Drives an episode again with the model and tokenizer given; `start` and `resume` as in Consultation.

    Time is the record's. Log-probabilities are not compared: they are the engine's business (see libs/engine).
    """

    def __init__(self, episode: Episode, model: ModelPin, tokenizer: Tokenizer) -> None:
        verify_chain(episode)
        self._recorded = episode
        self._compared = 0
        inputs = episode.inputs
        self._run = Consultation(episode.episode_id, inputs, model, tokenizer, seed=episode.pins.seed)
        self._compare_pins(self._run.recorded.pins)
        self._round = Round((), ())

    def start(self) -> Round:
        """Begins; returns what is asked first."""
        return self._checked(self._run.start(self._time()))

    def resume(self, answers: Sequence[Answer]) -> Round:
        """Takes the answers to the last round; raises ReplayDifferenceError if they lead elsewhere."""
        return self._checked(self._run.resume(answers, self._time()))

    def recorded_answers(self) -> tuple[Answer, ...]:
        """The answers of the record to the last round: replays the runtime without a model or tools."""
        steps = iter(self._recorded.steps[self._compared :])
        return tuple(_answer(request, steps, self._compared) for request in self._round.requests)

    def _checked(self, following: Round) -> Round:
        steps = self._run.recorded.steps
        for place in range(self._compared, len(steps)):
            if place >= len(self._recorded.steps):
                raise ReplayDifferenceError(place, "length of the episode")
            _compare(self._recorded.steps[place], steps[place])
        self._compared = len(steps)
        if following.finished:
            self._compare_end()
        self._round = following
        return following

    def _compare_end(self) -> None:
        """After the outcome the record holds only what its driver decided."""
        for step in self._recorded.steps[self._compared :]:
            if step.WhichOneof("content") != "decision":
                raise ReplayDifferenceError(step.index, "length of the episode")

    def _compare_pins(self, replayed: Pins) -> None:
        for name in _PINS:
            if getattr(replayed, name) != getattr(self._recorded.pins, name):
                raise ReplayDifferenceError(0, name.removesuffix("_sha256").removesuffix("_version"))

    def _time(self) -> datetime:
        """When the next step was recorded; the end of the record keeps its last time."""
        steps = self._recorded.steps
        if not steps:
            raise ReplayDifferenceError(0, "length of the episode")
        return steps[min(self._compared, len(steps) - 1)].at.ToDatetime(tzinfo=UTC)


def _compare(recorded: Step, replayed: Step) -> None:
    kind = recorded.WhichOneof("content")
    if kind != replayed.WhichOneof("content"):
        raise ReplayDifferenceError(recorded.index, "kind of step")
    names = {"turn": _TURN, "tool": _TOOL, "decision": _DECISION}[str(kind)]
    mine, other = getattr(recorded, str(kind)), getattr(replayed, str(kind))
    for name, meaning in names.items():
        if getattr(mine, name) != getattr(other, name):
            raise ReplayDifferenceError(recorded.index, meaning)


def _answer(request: Generate | CallTool, steps: Iterator[Step], place: int) -> Answer:
    """The next recorded answer to a request of this kind and role."""
    kind = "turn" if isinstance(request, Generate) else "tool"
    for step in steps:
        if step.WhichOneof("content") == kind and getattr(step, kind).role == request.role:
            return _of_turn(step.turn) if kind == "turn" else _of_tool(step.tool)
    raise ReplayDifferenceError(place, "length of the episode")


def _of_turn(turn: ModelTurn) -> Answer:
    if turn.finish_reason.startswith("failed: "):
        return Failed(turn.finish_reason.removeprefix("failed: "))
    return Generated(
        output_ids=tuple(turn.action_ids),
        log_probs=tuple(turn.log_probs),
        allowed_mass=tuple(turn.allowed_mass),
        forced=tuple(turn.forced),
        finish_reason=turn.finish_reason,
    )


def _of_tool(call: ToolCall) -> Answer:
    return ToolResult(call.result, tuple(call.calculations)) if call.result_sha256 else Failed(call.error)
