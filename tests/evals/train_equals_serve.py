"""`make eval EVAL=train_equals_serve`: the log-probabilities that were served, against the training forward.

Real episodes over stories are served by the engine (continuous batch, chunked prefill, reused prefixes, forced runs),
half of them greedy and half drawn at temperature 1. Then each role's whole sequence goes through the network once, as a
trainer would run it, and every action token's log-probability is compared. Once in float64 (deterministic mode), once
in float32 (as served).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from engine.llama import Llama, Precision, load
from harness import Consultation

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
    """The largest difference, and over how many tokens. What is wanted in small numbers is cut off after a few rounds."""
    together, longest = (_TOGETHER, 1000) if wanted >= TOKENS else (1, 3)
    players = [served(precision=precision, temperature=each) for each in (0.0, 1.0)]
    trained = load(folder()).in_precision(precision)
    largest, tokens, first = 0.0, 0, seed * 100_000
    while tokens < wanted:
        player = players[(first // together) % 2]
        cases = [case(each, _CONTEXT) for each in range(first, first + together)]
        for finished in play(cases, player, longest):
            for sequence in _sequences(finished):
                largest = max(largest, _difference(trained, sequence))
                tokens += len(sequence.places)
        first += together
    return largest, tokens


def _sequences(run: Consultation) -> Iterator[Served]:
    """Each role's observations and actions put together as they were served."""
    turns = defaultdict(list)
    for step in run.recorded.steps:
        if step.HasField("turn"):
            turns[step.turn.role].append(step.turn)
    for mine in turns.values():
        ids: list[int] = []
        places: list[int] = []
        for turn in mine:
            ids += turn.observation_ids
            places += range(len(ids), len(ids) + len(turn.action_ids))
            ids += turn.action_ids
        log_probs = [each for turn in mine for each in turn.log_probs]
        yield Served(tuple(ids), tuple(places), tuple(log_probs))


def _difference(network: Llama, sequence: Served) -> float:
    """One forward over the whole sequence, with gradients off and everything else as in training."""
    start = sequence.places[0]
    with torch.no_grad():
        found = network.log_probs(sequence.ids[:start], sequence.ids[start:]).numpy()
    at: Sequence[int] = [place - start for place in sequence.places]
    return float(np.abs(found[at] - np.array(sequence.log_probs)).max())
