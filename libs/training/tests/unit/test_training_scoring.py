"""Scores of rollouts: what was served, whatever is shared, with the gradients of the plain forward."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from engine.llama import Llama
from torch import Tensor, nn
from torch.nn import functional
from training.packing import pack, sequence
from training.samples import Ids, Rollout
from training.scoring import SampleError, scores, served

from libs.training.tests.unit.tiny import CONFIG, group, made


def plain(network: Llama, rollout: Rollout) -> Tensor:
    """By the engine's own training entry, token by token, renormalised over what was allowed."""
    ids, numbers = list[int](), list[Tensor]()
    for turn in rollout.turns:
        ids += turn.observation_ids
        for token, allowed, forced in zip(turn.action_ids, turn.allowed, turn.forced, strict=True):
            each = torch.stack([network.log_probs(ids, [one])[0] for one in allowed])
            own = network.log_probs(ids, [token])[0] - each.logsumexp(0)
            numbers.append(torch.zeros(()) if forced else own)
            ids.append(token)
    return torch.stack(numbers)


def gradients(network: Llama, numbers: Sequence[Tensor]) -> list[Tensor]:
    network.zero_grad()
    torch.autograd.backward([(part * torch.arange(1.0, len(part) + 1)).sum() for part in numbers])
    return [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_the_plain_forward_of_each_rollout_and_so_are_their_gradients(seed: int) -> None:
    network = made()
    rollouts = group(network, seed)
    together, alone = scores(network, rollouts), [plain(network, rollout) for rollout in rollouts]
    assert max((one - other).abs().max().item() for one, other in zip(together, alone, strict=True)) < 1e-5
    for one, other in zip(gradients(network, together), gradients(network, alone), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4 * other.abs().max().item())


@pytest.mark.parametrize("seed", range(4))
def test_sharing_beginnings_changes_no_score_and_no_gradient(seed: int) -> None:
    network = made().in_precision("float64")
    rollouts = group(network, seed)
    shared, alone = scores(network, rollouts), scores(network, rollouts, shared=False)
    assert all(torch.allclose(one, other, rtol=0, atol=1e-12) for one, other in zip(shared, alone, strict=True))
    for one, other in zip(gradients(network, shared), gradients(network, alone), strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


def test_scores_are_what_was_served(network: Llama) -> None:
    for rollout, numbers in zip(group(network, 3), scores(network, group(network, 3)), strict=True):
        assert numbers.tolist() == pytest.approx(served(rollout), abs=1e-5)


def test_a_beginning_is_packed_once_and_parts_where_the_rollouts_part() -> None:
    packed = pack([(1, 2, 3, 4), (1, 2, 3, 5, 6), (1, 2, 9), (1, 2, 3, 4)])
    assert [(segment.start, segment.ids, segment.after) for segment in packed.segments] == [
        (0, (1, 2), None),
        (2, (3,), 0),
        (3, (4,), 1),
        (3, (5, 6), 1),
        (2, (9,), 0),
    ]
    assert packed.rows == [[0, 1, 2, 3], [0, 1, 2, 4, 5], [0, 1, 6], [0, 1, 2, 3]]


def test_a_token_with_everything_allowed_is_scored_over_the_whole_vocabulary(network: Llama) -> None:
    (rollout,) = group(network, 1, size=1)
    free = replace(rollout, turns=tuple(replace(turn, allowed=(), forced=(False,) * 3) for turn in rollout.turns))
    ids = sequence(free)
    turn = free.turns[0]
    expected = network.log_probs(ids[: len(turn.observation_ids)], turn.action_ids)
    assert torch.allclose(scores(network, [free])[0][:3], expected, atol=1e-5)


def test_a_large_set_of_allowed_tokens_is_scored_like_a_small_one(
    network: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts = group(network, 2)
    small = scores(network, rollouts)
    monkeypatch.setattr("training.scoring._FEW", 4)
    assert all(
        torch.allclose(one, other, atol=1e-5) for one, other in zip(small, scores(network, rollouts), strict=True)
    )


def test_the_only_token_that_was_allowed_is_no_choice_whoever_wrote_it_down(network: Llama) -> None:
    (rollout,) = group(network, 1, size=1)
    turns = tuple(replace(turn, forced=(False,) * len(turn.forced)) for turn in rollout.turns)
    oracle = replace(rollout, turns=turns)
    assert oracle.choices == rollout.choices
    assert torch.equal(scores(network, [oracle])[0], scores(network, [rollout])[0])
    assert served(oracle) == served(rollout)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"log_probs": (-1.0,)}, "one entry of everything"),
        ({"allowed_mass": (0.0, 0.0, 0.0)}, "no probability was allowed"),
        ({"allowed": ((5,), (60,), (6,))}, "did not allow"),
        ({"observation_ids": ()}, "nothing was observed"),
    ],
)
def test_a_rollout_that_does_not_fit_together_is_refused_by_what_is_wrong(
    network: Llama, change: dict[str, Any], text: str
) -> None:
    (rollout,) = group(network, 1, size=1)
    broken = replace(rollout, turns=(replace(rollout.turns[0], **change), *rollout.turns[1:]))
    with pytest.raises(SampleError, match=text):
        scores(network, [broken])


# --- a mixture of experts: what routing replay is for ----------------------------------------------------------------


class Experts(nn.Module):
    """The two best of four experts a token, mixed by a softmax over the two."""

    def __init__(self) -> None:
        super().__init__()
        size = CONFIG.hidden_size
        self.router = nn.Linear(size, 4, bias=False)
        self.experts = nn.ModuleList(nn.Linear(size, size, bias=False) for _ in range(4))
        self.recorded: list[Ids] | None = None
        self.taken: list[Ids] = []

    def forward(self, x: Tensor) -> Tensor:
        logits = self.router(x)
        own = logits.topk(2, dim=-1).indices
        if self.recorded:
            own = torch.tensor([ids or row.tolist() for ids, row in zip(self.recorded, own, strict=True)])
        self.taken = [tuple(row) for row in own.tolist()]
        weights = functional.softmax(logits.gather(1, own), dim=-1)
        everything = torch.stack([expert(x) for expert in self.experts], dim=1)
        chosen = everything.gather(1, own[:, :, None].expand(-1, -1, x.shape[1]))
        return (weights[:, :, None] * chosen).sum(1)


class Mixture(Llama):
    def __init__(self) -> None:
        super().__init__(CONFIG)
        for layer in self.model.layers:
            layer.mlp = Experts()

    @property
    def routers(self) -> list[Experts]:
        return [module for module in self.modules() if isinstance(module, Experts)]

    @contextmanager
    def replaying(self, routes: Sequence[Sequence[Ids]]) -> Iterator[None]:
        for number, experts in enumerate(self.routers):
            experts.recorded = [route[number] if route else () for route in routes]
        yield
        for experts in self.routers:
            experts.recorded = None


def mixture() -> Mixture:
    torch.manual_seed(3)
    network = Mixture()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.3)
    return network


def routed(network: Mixture, rollout: Rollout) -> Rollout:
    """With the experts that the network takes when it reads the rollout alone."""
    ids = sequence(rollout)
    network.states(pack([ids]).segments)
    taken = [tuple(layer.taken[place] for layer in network.routers) for place in range(len(ids))]
    turns, start = [], 0
    for turn in rollout.turns:
        end = start + len(turn.observation_ids) + len(turn.action_ids)
        turns.append(replace(turn, routes=tuple(taken[start:end])))
        start = end
    return replace(rollout, turns=tuple(turns))


def experts_of(network: Mixture, rollouts: Sequence[Rollout]) -> list[list[Ids]]:
    """Those of the first layer that the last forward took, rollout by rollout."""
    packed = pack([sequence(rollout)[:-1] for rollout in rollouts])
    return [[network.routers[0].taken[row] for row in rows] for rows in packed.rows]


def without_routes(rollout: Rollout) -> Rollout:
    return replace(rollout, turns=tuple(replace(turn, routes=()) for turn in rollout.turns))


def test_recorded_experts_are_taken_again_after_the_router_has_moved() -> None:
    network = mixture()
    rollouts = [routed(network, rollout) for rollout in group(network, 5)]
    recorded = [[route[0] for turn in rollout.turns for route in turn.routes][:-1] for rollout in rollouts]
    before = scores(network, rollouts)
    with torch.no_grad():
        for experts in network.routers:
            experts.router.weight.neg_()  # by itself it would now take the two worst
    scores(network, [without_routes(rollout) for rollout in rollouts])
    assert experts_of(network, rollouts) != recorded
    after = scores(network, rollouts)
    assert experts_of(network, rollouts) == recorded
    assert not torch.allclose(before[0], after[0])  # how they are mixed is still the router's own


def test_gradients_reach_a_router_whose_choice_is_replayed() -> None:
    network = mixture()
    rollouts = [routed(network, rollout) for rollout in group(network, 5)]
    torch.autograd.backward(torch.cat(scores(network, rollouts)).sum())
    for experts in network.routers:
        assert experts.router.weight.grad is not None
        assert experts.router.weight.grad.abs().max() > 0


def test_a_dense_network_is_asked_for_no_routes(network: Llama) -> None:
    rollouts = group(network, 5)
    wrong = [replace(one, turns=tuple(replace(turn, routes=(((0, 1),),)) for turn in one.turns)) for one in rollouts]
    assert all(torch.equal(a, b) for a, b in zip(scores(network, rollouts), scores(network, wrong), strict=True))
