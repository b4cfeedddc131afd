"""Drives a recorded episode again: the model that serves now answers anew, tools answer from the record.

Fails closed: the first difference ends it and is named. Nothing is stored or published.
"""

import asyncio
from dataclasses import dataclass, field

from contracts.errors import PermanentError, UnavailableError
from harness import (
    NO_MODEL,
    RULES,
    EpisodeTamperedError,
    Generate,
    Generated,
    ModelPin,
    Replay,
    ReplayDifferenceError,
    parse,
)
from harness.protocol import Answer, Request
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.reasoning.v1.reasoning_service_pb2 import ReplayResponse
from longitude.record.v1.object_pb2 import ObjectRef

from reasoning.flows.driver import generate, together
from reasoning.flows.parts import Parts


async def replay(reference: ObjectRef, parts: Parts) -> ReplayResponse:
    """UnavailableError when the objects, or Triton where a model took part, do not answer, or not in time."""
    made = ReplayResponse()
    try:
        async with asyncio.timeout(parts.seconds):
            episode = parse(await parts.objects.get(reference))
            pin = await parts.reasoner.pin() if episode.inputs.flow != RULES.name else NO_MODEL
            made.model, made.steps = f"{pin.name} {pin.sha256}".strip(), len(episode.steps)
            await _Replaying(parts, pin, made).drive(episode)
    except TimeoutError as error:
        raise UnavailableError(f"the replay took longer than {parts.seconds:g} seconds; ask again") from error
    except ReplayDifferenceError as found:
        made.step, made.difference = found.step, found.what
    except (EpisodeTamperedError, PermanentError):
        made.difference = "stored episode"
    made.identical = not made.difference
    return made


@dataclass(frozen=True)
class _Replaying:
    """One replay; counts into `made` what came out the same."""

    parts: Parts
    pin: ModelPin
    made: ReplayResponse
    _answered: list[tuple[Answer, Answer]] = field(default_factory=list)

    async def drive(self, episode: Episode) -> None:
        """To the end, or to a ReplayDifferenceError."""
        run = Replay(episode, self.pin, self.parts.tokenizer)
        pending = run.start()
        while not pending.finished:
            recorded = run.recorded_answers()
            asked = zip(pending.requests, recorded, strict=True)
            answers = await together(self._answer(request, held) for request, held in asked)
            pending = run.resume(answers)
            for held, answer in zip(recorded, answers, strict=True):
                self._count(held, answer)

    async def _answer(self, request: Request, recorded: Answer) -> Answer:
        if isinstance(request, Generate):
            return await generate(request, self.parts.reasoner, self.pin, lambda _: None)
        return recorded

    def _count(self, recorded: Answer, answer: Answer) -> None:
        """The replay found their tokens to be the same."""
        if isinstance(recorded, Generated) and isinstance(answer, Generated):
            gaps = (abs(one - other) for one, other in zip(recorded.log_probs, answer.log_probs, strict=True))
            self.made.tokens += len(answer.output_ids)
            self.made.max_log_prob_gap = max(self.made.max_log_prob_gap, *gaps, 0.0)
