"""Drives consultations where the answers are at hand (a trainer, an evaluation), with the same objects as serving.

Time is the record's, one second a round, so that the same choices give the same episode, byte for byte. Episodes are
driven together: each round's requests go to the model at once, and a network can batch them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from harness import CallTool, Consultation, Failed, Generate, Generated, ModelPin, Replay, Round, Tokenizer, ToolResult
from harness.protocol import Answer
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.record.v1.fact_pb2 import PatientKey

from consult.consultation import Concluded, Prepared, conclude, prepare
from consult.identity import Identity
from consult.inputs import Budget
from consult.record import Record
from consult.tools import Tools

ROUND = timedelta(seconds=1)
BUDGET = Budget(context_tokens=700, prose_tokens=40)


class Model(Protocol):
    """Whoever chooses the tokens. `pin` names it in the record."""

    @property
    def pin(self) -> ModelPin: ...

    def generate(self, asked: Sequence[Generate]) -> Sequence[Generated | Failed]:
        """One answer to each request, in its order."""


class Answering(Protocol):
    """What answers calls of tools."""

    def answer(self, call: CallTool) -> ToolResult | Failed: ...


class Underway(Protocol):
    """An episode on its way, with what answers its calls and its clock."""

    @property
    def run(self) -> Consultation: ...
    @property
    def tools(self) -> Answering: ...

    at: datetime


@dataclass(slots=True)
class Driven:
    """An episode on its way, with its tools and its clock."""

    prepared: Prepared
    run: Consultation
    tools: Tools
    at: datetime

    @classmethod
    def begin(cls, prepared: Prepared, model: ModelPin, tokenizer: Tokenizer, tools: Tools | None = None) -> "Driven":
        """`tools`: by default those that need nothing but the record."""
        record = prepared.record
        tools = tools or Tools.offline(record, sources=prepared.sources)
        return cls(prepared, prepared.begin(model, tokenizer), tools, record.asked_at)


def consult(
    question: str,
    record: Record,
    patient: PatientKey,
    model: Model,
    tokenizer: Tokenizer,
    tools: Tools | None = None,
    *,
    budget: Budget = BUDGET,
    request_id: str = "",
) -> Concluded:
    """One whole consultation, from the record to a checked assessment and the episode it came from."""
    prepared = prepare(question, record, budget, Identity.of(request_id))
    driven = Driven.begin(prepared, model.pin, tokenizer, tools)
    drive([driven], model)
    return conclude(prepared, driven.run, patient, model.pin, driven.at)


def drive(episodes: Sequence[Underway], model: Model, longest: int = 1000) -> None:
    """All episodes to their end, or for `longest` rounds."""
    rounds = [each.run.start(each.at) for each in episodes]
    for _ in range(longest):
        if all(pending.finished for pending in rounds):
            return
        answers = _answers(rounds, [each.tools for each in episodes], model)
        for place, (episode, pending) in enumerate(zip(episodes, rounds, strict=True)):
            if not pending.finished:
                episode.at += ROUND
                rounds[place] = episode.run.resume(answers[place], episode.at)


def drive_again(episode: Episode, tools: Tools, model: Model, tokenizer: Tokenizer) -> None:
    """A recorded episode; ReplayDifferenceError at the first difference."""
    again = Replay(episode, model.pin, tokenizer)
    pending = again.start()
    while not pending.finished:
        pending = again.resume(_answers([pending], [tools], model)[0])


def _answers(rounds: Sequence[Round], tools: Sequence[Answering], model: Model) -> list[list[Answer]]:
    asked = [request for pending in rounds for request in pending.requests if isinstance(request, Generate)]
    generated = iter(model.generate(asked))
    return [
        [next(generated) if isinstance(request, Generate) else own.answer(request) for request in pending.requests]
        for pending, own in zip(rounds, tools, strict=True)
    ]
