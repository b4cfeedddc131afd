"""Episodes in process: the real harness over stories, played in lockstep so that a network can batch them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

from engine import open_folder
from engine.convert import convert
from engine.folder import ModelFolder
from grounding import Sources, Verifier
from harness import CallTool, Consultation, Failed, Generate, Generated, ModelPin, Replay, Tokenizer
from harness.protocol import Answer, Round
from longitude.reasoning.v1.assessment_pb2 import Statement
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.record.v1.context_pb2 import Passage
from reasoning.consultation import speak
from reasoning.domain.drafting import Drafted, assess
from reasoning.domain.inputs import Prepared, prepare
from reasoning.domain.record import Record
from reasoning.tools import RecordTools, of_passages
from servicekit.errors import InvalidInputError, NotFoundError
from testkit.stories import Story, story

from tests.evals.chain import CONTEXT_TOKENS, evidence, library, record_of

MODELS = Path(__file__).resolve().parents[2] / "var" / "models"
PROSE_TOKENS = 40


class Player(Protocol):
    """Whoever chooses the tokens. `pin` names it in the record."""

    @property
    def pin(self) -> ModelPin: ...

    def play(self, asked: Sequence[Generate]) -> list[Generated]: ...


@dataclass(frozen=True)
class Case:
    """A story with its record, read by the real chain."""

    story: Story
    record: Record
    context_tokens: int = CONTEXT_TOKENS
    library: Sequence[Passage] = field(default_factory=library)

    @cached_property
    def sources(self) -> Sources:
        return self.record.sources()

    @cached_property
    def said(self) -> list[Drafted]:
        """What the rules say."""
        return speak(self.record, self.sources, lambda _: None, self.story.question)

    @cached_property
    def checked(self) -> list[Statement]:
        """What the rules say, after the gate."""
        return assess(self.said, Verifier(self.sources), f"eval-{self.story.seed}")

    @cached_property
    def prepared(self) -> Prepared:
        question, context_tokens = self.story.question, self.context_tokens
        return prepare(question, self.record, self.sources, self.checked, context_tokens, PROSE_TOKENS)

    @cached_property
    def tools(self) -> RecordTools:
        return RecordTools.of(self.record)

    def begin(self, pin: ModelPin) -> Consultation:
        return Consultation(f"eval-{self.story.seed}", self.prepared.inputs, pin, tokenizer(), seed=self.story.seed)


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


def play(cases: Sequence[Case], player: Player, longest: int = 1000) -> list[Consultation]:
    """All episodes to their end, or for `longest` rounds; each round's requests go to the player together."""
    runs = [each.begin(player.pin) for each in cases]
    at = [each.record.asked_at for each in cases]
    rounds = [run.start(when) for run, when in zip(runs, at, strict=True)]
    for _ in range(longest):
        if all(each.finished for each in rounds):
            break
        answers = _answers(rounds, cases, player)
        for place, pending in enumerate(rounds):
            if not pending.finished:
                at[place] += timedelta(seconds=1)
                rounds[place] = runs[place].resume(answers[place], at[place])
    return runs


def closed(run: Consultation, at: datetime) -> Episode:
    """The record of an episode that was released."""
    run.decide("gate", "released", "", at)
    return run.close(at)


def replay(episode: Episode, owner: Case, player: Player) -> None:
    """Drives a recorded episode again; ReplayDifferenceError at the first difference."""
    again = Replay(episode, player.pin, tokenizer())
    pending = again.start()
    while not pending.finished:
        pending = again.resume(_answers([pending], [owner], player)[0])


def _answers(rounds: Sequence[Round], cases: Sequence[Case], player: Player) -> list[list[Answer]]:
    asked = [request for pending in rounds for request in pending.requests if isinstance(request, Generate)]
    generated = iter(player.play(asked))
    return [
        [next(generated) if isinstance(request, Generate) else look(request, each) for request in pending.requests]
        for pending, each in zip(rounds, cases, strict=True)
    ]


def look(call: CallTool, owner: Case) -> Answer:
    """A tool's answer as the service gives it; searches find by word what memory finds by meaning."""
    match call.tool:
        case "search_evidence":
            return of_passages(evidence(call.arguments["query"], owner.library))
        case "search_memory":
            letters = (each.fact.source.document_id for each in owner.tools.held.facts.values())
            return owner.tools.found_in(frozenset(each for each in letters if each))
        case _:
            return _of_record(call, owner)


def _of_record(call: CallTool, owner: Case) -> Answer:
    try:
        return owner.tools.call(call)
    except NotFoundError:
        return Failed("not found")
    except InvalidInputError:
        return Failed("refused")
