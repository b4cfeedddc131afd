"""Episodes in process: consult's own driver over stories, played in lockstep so that a network can batch them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path

from consult import (
    Budget,
    Driven,
    Identity,
    Model,
    Prepared,
    Record,
    Tools,
    drive,
    drive_again,
    prepare,
)
from engine import open_folder
from engine.convert import convert
from engine.folder import ModelFolder
from harness import Consultation, ModelPin, Tokenizer
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.record.v1.context_pb2 import Passage
from testkit.stories import Story, story

from tests.evals.chain import CONTEXT_TOKENS, library, record_of

MODELS = Path(__file__).resolve().parents[2] / "var" / "models"
PROSE_TOKENS = 40


@dataclass(frozen=True)
class Case:
    """A story with its record, read by the real chain."""

    story: Story
    record: Record
    context_tokens: int = CONTEXT_TOKENS
    library: Sequence[Passage] = field(default_factory=library)

    @cached_property
    def prepared(self) -> Prepared:
        budget = Budget(self.context_tokens, PROSE_TOKENS)
        return prepare(self.story.question, self.record, budget, Identity.of(f"eval-{self.story.seed}"))

    @cached_property
    def tools(self) -> Tools:
        """As the service gives them; searches find by word what memory finds by meaning."""
        return Tools.offline(self.record, self.library)

    def begin(self, pin: ModelPin) -> Consultation:
        return self.prepared.begin(pin, tokenizer())


@cache
def folder() -> ModelFolder:
    """The reasoner's folder, converted once."""
    return open_folder(convert(MODELS))


@cache
def tokenizer() -> Tokenizer:
    return Tokenizer.from_json(folder().tokenizer.read_text(encoding="utf-8"))


def case(seed: int, context_tokens: int = CONTEXT_TOKENS) -> Case:
    """`context_tokens`: what the record's lines may take of what the model reads."""
    told = story(seed)
    return Case(told, record_of(told, context_tokens), context_tokens)


def play(cases: Sequence[Case], model: Model, longest: int = 1000) -> list[Consultation]:
    """All episodes to their end, or for `longest` rounds."""
    episodes = [Driven.begin(each.prepared, model.pin, tokenizer(), each.tools) for each in cases]
    drive(episodes, model, longest)
    return [each.run for each in episodes]


def closed(run: Consultation, at: datetime) -> Episode:
    """The record of an episode that was released."""
    run.decide("gate", "released", "", at)
    return run.close(at)


def replay(episode: Episode, owner: Case, model: Model) -> None:
    """Drives a recorded episode again; ReplayDifferenceError at the first difference."""
    drive_again(episode, owner.tools, model, tokenizer())
