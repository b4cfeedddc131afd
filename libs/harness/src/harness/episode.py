"""The append-only record of an episode: chained step by step, addressed by its content.

Each step holds the SHA-256 of the step before it; the first one that of the header (id, format, pins, inputs).
Hashes are over protobuf's deterministic serialisation.
"""

import hashlib
from datetime import datetime

from google.protobuf.message import Message
from longitude.reasoning.v1.episode_pb2 import Decision, Episode, EpisodeInputs, ModelTurn, Pins, Step, ToolCall

FORMAT = 1


class EpisodeTamperedError(Exception):
    """A step does not follow from the one before it; the text names the step."""


class Recorder:
    """Writes an episode; steps are appended and never touched again."""

    def __init__(self, episode_id: str, pins: Pins, inputs: EpisodeInputs) -> None:
        self.episode = Episode(episode_id=episode_id, format=FORMAT, pins=pins, inputs=inputs)

    def append(self, content: ModelTurn | ToolCall | Decision, at: datetime) -> int:
        """Adds a step and returns its index."""
        episode = self.episode
        step = Step(index=len(episode.steps), previous_sha256=_previous(episode, len(episode.steps)))
        step.at.FromDatetime(at)
        if isinstance(content, ModelTurn):
            step.turn.CopyFrom(content)
        elif isinstance(content, ToolCall):
            step.tool.CopyFrom(content)
        else:
            step.decision.CopyFrom(content)
        episode.steps.append(step)
        return step.index


def digest(message: Message) -> str:
    """SHA-256, hexadecimal, of the deterministic serialisation."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()


def episode_digest(episode: Episode) -> str:
    """The address of an episode's content."""
    return digest(episode)


def serialise(episode: Episode) -> bytes:
    return episode.SerializeToString(deterministic=True)


def parse(data: bytes) -> Episode:
    """Reads a serialised episode and verifies its chain."""
    episode = Episode.FromString(data)
    verify_chain(episode)
    return episode


def verify_chain(episode: Episode) -> None:
    """Raises EpisodeTamperedError at the first step that does not follow from what is before it."""
    for place, step in enumerate(episode.steps):
        if step.index != place or step.previous_sha256 != _previous(episode, place):
            raise EpisodeTamperedError(f"step {place} does not follow from what stands before it")


def _previous(episode: Episode, place: int) -> str:
    if place:
        return digest(episode.steps[place - 1])
    header = Episode(episode_id=episode.episode_id, format=episode.format, pins=episode.pins, inputs=episode.inputs)
    return digest(header)
