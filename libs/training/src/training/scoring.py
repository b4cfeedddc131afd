"""Log-probabilities under the grammar, with gradients: log p(a) - log(sum of p over what the grammar allowed).

The same forward as in serving. Of a token with few ways on only the logits of those are computed.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import log
from typing import Protocol, runtime_checkable

import torch
from engine.llama import Llama
from torch import Tensor

from training.packing import Packed, action_places, pack, sequence
from training.samples import Ids, Rollout

# With more ways on than this all logits are computed.
_FEW = 256


class SampleError(ValueError):
    """What was recorded of a rollout does not fit together; the text says what."""


@runtime_checkable
class Routed(Protocol):
    """A mixture of experts that can be told which experts to take: rollout routing replay, R3 (arXiv 2510.11370).

    `routes` are the recorded experts, layer by layer, of every token of the forward in its order; empty of a token:
    the network's own choice.
    """

    def replaying(self, routes: Sequence[Sequence[Ids]]) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class _Choice:
    """An action token that was a choice: the row of the state it was chosen from, and what was allowed there."""

    row: int
    token: int
    allowed: Ids


def scores(network: Llama, rollouts: Sequence[Rollout], *, shared: bool = True) -> list[Tensor]:
    """Of each rollout one number an action token, turn by turn; 0 of a forced one. Shared beginnings run once."""
    for rollout in rollouts:
        check(rollout)
    packed = pack([sequence(rollout)[:-1] for rollout in rollouts], shared=shared)
    with _replayed(network, rollouts, packed):
        states = network.states(packed.segments)
    choices = [_choices(rollout, rows) for rollout, rows in zip(rollouts, packed.rows, strict=True)]
    picked = _log_probs(network, states, [choice for own in choices for choice in own.values()])
    parts = torch.split(picked, [len(own) for own in choices])
    return [_laid_out(rollout, own, part) for rollout, own, part in zip(rollouts, choices, parts, strict=True)]


def served(rollout: Rollout) -> tuple[float, ...]:
    """The same numbers as the engine recorded them: log p(a) - log(allowed mass); 0 of a forced token."""
    return tuple(
        log_prob - log(mass) if chosen else 0.0
        for turn in rollout.turns
        for log_prob, mass, chosen in zip(turn.log_probs, turn.allowed_mass, turn.choices, strict=True)
    )


def check(rollout: Rollout) -> None:
    """SampleError unless the rollout is whole: one entry a token, masses that can be divided by, choices allowed."""
    if not any(turn.action_ids for turn in rollout.turns):
        raise SampleError(f"a rollout of {rollout.task} has no action")
    for number, turn in enumerate(rollout.turns):
        lengths = {len(turn.action_ids), len(turn.log_probs), len(turn.allowed_mass), len(turn.forced)}
        if len(lengths) > 1 or (turn.allowed and len(turn.allowed) != len(turn.action_ids)):
            raise SampleError(f"turn {number} of {rollout.task} has not one entry of everything for each token")
        if any(chosen and not 0 < mass <= 1.001 for mass, chosen in zip(turn.allowed_mass, turn.choices, strict=True)):
            raise SampleError(f"turn {number} of {rollout.task} has a choice of which no probability was allowed")
        if any(ids and token not in ids for ids, token in zip(turn.allowed, turn.action_ids, strict=False)):
            raise SampleError(f"turn {number} of {rollout.task} has a token that its grammar did not allow")


def _choices(rollout: Rollout, rows: Sequence[int]) -> dict[int, _Choice]:
    """By number among the action tokens, those that were a choice."""
    tokens = [token for turn in rollout.turns for token in turn.action_ids]
    allowed = [ids for turn in rollout.turns for ids in turn.allowed or ((),) * len(turn.action_ids)]
    places = action_places(rollout)
    if places[0] == 0:
        raise SampleError(f"a rollout of {rollout.task} begins with an action: nothing was observed")
    return {
        number: _Choice(rows[place - 1], tokens[number], allowed[number])
        for number, (place, chosen) in enumerate(zip(places, rollout.choices, strict=True))
        if chosen
    }


def _log_probs(network: Llama, states: Tensor, choices: Sequence[_Choice]) -> Tensor:
    picked = states.new_zeros(len(choices))
    few = [number for number, choice in enumerate(choices) if 0 < len(choice.allowed) <= _FEW]
    many = [number for number, choice in enumerate(choices) if not 0 < len(choice.allowed) <= _FEW]
    for numbers, score in ((few, _of_few), (many, _of_many)):
        if numbers:
            at = torch.tensor(numbers, device=states.device)
            picked = picked.index_put((at,), score(network, states, [choices[number] for number in numbers]))
    return picked


def _of_few(network: Llama, states: Tensor, choices: Sequence[_Choice]) -> Tensor:
    """From the logits of what was allowed alone, the sets laid side by side and filled up."""
    longest = max(len(choice.allowed) for choice in choices)
    ids = torch.tensor([(*c.allowed, *(0,) * (longest - len(c.allowed))) for c in choices], device=states.device)
    sizes = torch.tensor([len(choice.allowed) for choice in choices], device=states.device)
    chosen = torch.tensor([choice.allowed.index(choice.token) for choice in choices], device=states.device)
    rows = torch.tensor([choice.row for choice in choices], device=states.device)
    logits = (network.head[ids] @ states[rows][:, :, None])[:, :, 0]
    beyond = torch.arange(longest, device=states.device) >= sizes[:, None]
    normalised: Tensor = logits.masked_fill(beyond, float("-inf")).log_softmax(-1)
    return normalised.gather(1, chosen[:, None])[:, 0]


def _of_many(network: Llama, states: Tensor, choices: Sequence[_Choice]) -> Tensor:
    rows = torch.tensor([choice.row for choice in choices], device=states.device)
    logits = states[rows] @ network.head.T
    barred = torch.zeros_like(logits, dtype=torch.bool)
    for number, choice in enumerate(choices):
        if choice.allowed:
            barred[number] = True
            barred[number, torch.tensor(choice.allowed, device=states.device)] = False
    chosen = torch.tensor([choice.token for choice in choices], device=states.device)
    return logits.masked_fill(barred, float("-inf")).log_softmax(-1).gather(1, chosen[:, None])[:, 0]


def _laid_out(rollout: Rollout, choices: dict[int, _Choice], picked: Tensor) -> Tensor:
    tokens = sum(len(turn.action_ids) for turn in rollout.turns)
    at = torch.tensor(list(choices), dtype=torch.long, device=picked.device)
    return picked.new_zeros(tokens).index_put((at,), picked)


def _replayed(network: Llama, rollouts: Sequence[Rollout], packed: Packed) -> AbstractContextManager[None]:
    """The hook of R3; a dense network leaves it empty."""
    if not isinstance(network, Routed):
        return nullcontext()
    routes: list[Sequence[Ids]] = [()] * packed.length
    for rollout, rows in zip(rollouts, packed.rows, strict=True):
        own = [
            route
            for turn in rollout.turns
            for route in _routes(turn.routes, len(turn.observation_ids + turn.action_ids))
        ]
        for row, route in zip(rows, own, strict=False):  # the last token is never read
            routes[row] = route
    return network.replaying(routes)


def _routes(routes: Sequence[Sequence[Ids]], tokens: int) -> Sequence[Sequence[Ids]]:
    if routes and len(routes) != tokens:
        raise SampleError("a turn has routes, but not of every token")
    return routes or ((),) * tokens
