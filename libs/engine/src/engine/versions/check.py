"""Whether a candidate serves what was trained: tokens served by Triton against the training forward.

The recorded tokens are forced by a grammar, so that they are scored as they stand; fresh ones are drawn as any
request's are, in batches, with a cache. The training forward is that of the same folder, in this process.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from engine.drift import LIMIT, Gap, gap, joined
from engine.request import Request
from engine.sampling import Sampling
from engine.versions.server import Served

FRESH_TOKENS = 8

Ask = Callable[[Request], Awaitable[Served]]
# Log-probabilities of the second sequence after the first, by the training forward.
Score = Callable[[Sequence[int], Sequence[int]], Sequence[float]]


class CandidateRefusedError(Exception):
    """The candidate must not go live; the text says why."""


@dataclass(frozen=True)
class Turn:
    """Tokens that a model was shown, and those that it answered."""

    observation_ids: tuple[int, ...]
    action_ids: tuple[int, ...]


def recorded(path: Path | None, vocabulary: int) -> list[Turn]:
    """Turns from a JSON file, a list of `{"observation_ids": [...], "action_ids": [...]}`; without one, ours."""
    source = path or files("engine.versions") / "recorded.json"
    turns = [Turn(tuple(each["observation_ids"]), tuple(each["action_ids"])) for each in json.loads(source.read_text())]
    if max(max(*turn.observation_ids, *turn.action_ids) for turn in turns) >= vocabulary:
        raise CandidateRefusedError("the recorded tokens are not of this model's vocabulary: give some with --recorded")
    return turns


async def measure(ask: Ask, score: Score, sha256: str, turns: Sequence[Turn]) -> Gap:
    """The gap over all turns; raises CandidateRefusedError when it is not below the limit, or other weights answer."""
    requests = [request for number, turn in enumerate(turns) for request in _requests(turn, number)]
    answers = await asyncio.gather(*(ask(request) for request in requests))
    if others := {served.sha256 for served in answers} - {sha256}:
        raise CandidateRefusedError(f"Triton serves {min(others)[:12]} where {sha256[:12]} was asked for")
    pairs = zip(requests, answers, strict=True)
    gaps = [gap(served.log_probs, score(asked.input_ids, served.output_ids)) for asked, served in pairs]
    whole = joined(gaps)
    if not whole.small:
        said = f"largest gap {whole.largest:.2g} over {whole.tokens} tokens, below {LIMIT} is asked"
        raise CandidateRefusedError(f"it does not serve what was trained: {said}")
    return whole


def _requests(turn: Turn, seed: int) -> tuple[Request, Request]:
    """The turn as it was, and eight tokens drawn after the same observation."""
    grammar = "root ::= " + " ".join(f"Token({token})" for token in turn.action_ids)
    as_it_was = Request(turn.observation_ids, len(turn.action_ids), grammar=grammar)
    return as_it_was, Request(turn.observation_ids, FRESH_TOKENS, Sampling(temperature=1.0, seed=seed))
