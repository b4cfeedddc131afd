"""`make eval EVAL=train_equals_serve`: the log-probabilities that were served, against the training forward.

Real episodes over stories are served by the engine (continuous batch, chunked prefill, reused prefixes, forced runs),
half of them greedy and half drawn at temperature 1. Then each role's whole sequence goes through the network once, as a
trainer would run it, and every action token's log-probability is compared. Once in float64 (deterministic mode), once
in float32 (as served). The engine's own numbers are compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from engine import Chunk
from engine.llama import Llama, Precision, load
from harness import Generate

from tests.evals.episodes import case, folder, play
from tests.evals.players import served
from tests.results import Result

TOKENS = 1000
_CONTEXT = 220
_TOGETHER = 4


@dataclass(frozen=True)
class Served:
    """A role's tokens in one episode; `log_probs` has the log-probability of those at `places`."""

    ids: tuple[int, ...]
    places: tuple[int, ...]
    log_probs: tuple[float, ...]


def run(n: int | None, seed: int) -> Result:
    """The largest differences over at least N tokens in each mode."""
    wanted = n or TOKENS
    deterministic, count = gap("float64", wanted, seed)
    as_served, also = gap("float32", wanted, seed)
    figures = {"max_gap_deterministic": deterministic, "max_gap_served": as_served}
    return Result("train_equals_serve", figures | {"tokens": float(min(count, also))}, wanted, seed)


def gap(precision: Precision, wanted: int, seed: int) -> tuple[float, int]:
    """The largest difference, and over how many tokens. Small numbers are cut off after a few rounds."""
    together, longest, context = (_TOGETHER, 1000, _CONTEXT) if wanted >= TOKENS else (1, 3, _CONTEXT // 3)
    player, trained = served(precision=precision), load(folder()).in_precision(precision)
    largest, tokens, first = 0.0, 0, seed * 100_000
    while tokens < wanted:
        player.temperature = (first // together) % 2
        play([case(each, context) for each in range(first, first + together)], player, longest)
        for sequence in _sequences(player.served):
            largest = max(largest, _difference(trained, sequence))
            tokens += len(sequence.places)
        player.served.clear()
        first += together
    return largest, tokens


def _sequences(turns: Sequence[tuple[Generate, Chunk]]) -> Iterator[Served]:
    """Each role's turns put together: the longest request of a role begins with all of its earlier ones."""
    left = sorted(turns, key=lambda each: -len(each[0].input_ids))
    while left:
        whole, last = left[0]
        ids = (*whole.input_ids, *last.output_ids)
        mine = [each for each in left if ids[: len(each[0].input_ids)] == each[0].input_ids]
        left = [each for each in left if ids[: len(each[0].input_ids)] != each[0].input_ids]
        found = {
            len(asked.input_ids) + place: value for asked, chunk in mine for place, value in enumerate(chunk.log_probs)
        }
        places = tuple(sorted(found))
        yield Served(ids, places, tuple(found[place] for place in places))


def _difference(network: Llama, sequence: Served) -> float:
    """One forward over the whole sequence, with gradients off and everything else as in training."""
    start = sequence.places[0]
    with torch.no_grad():
        found = network.log_probs(sequence.ids[:start], sequence.ids[start:]).numpy()
    at = [place - start for place in sequence.places]
    return float(np.abs(found[at] - np.array(sequence.log_probs)).max())
