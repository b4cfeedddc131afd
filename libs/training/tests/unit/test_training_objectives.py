"""Objectives: values and gradients by closed forms and by differences, limits and signs."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from training.objectives import Dapo, Gspo, Objective, Sapo, Supervised, Tokens, importance, k3, shares

ALL: list[Objective] = [Supervised(), Sapo(), Gspo(), Dapo()]


def tokens(ratios: list[float], advantages: list[float], rollout: list[int] | None = None) -> Tokens:
    before = torch.linspace(-2, -0.5, len(ratios), dtype=torch.float64)
    now = (before + torch.tensor(ratios, dtype=torch.float64).log()).requires_grad_()
    numbers = torch.tensor(rollout or [0] * len(ratios))
    return Tokens(now, before, before.clone(), torch.tensor(advantages, dtype=torch.float64), numbers)


def slope(objective: Objective, given: Tokens) -> list[float]:
    (found,) = torch.autograd.grad(objective.gains(given).sum(), given.now)
    values: list[float] = found.tolist()
    return values


def by_differences(value: Callable[[Tensor], Tensor], at: Tensor, step: float = 1e-6) -> list[float]:
    moves = torch.eye(len(at), dtype=at.dtype) * step
    return [((value(at + move) - value(at - move)) / (2 * step)).item() for move in moves]


@pytest.mark.parametrize("objective", [Supervised(), Sapo(), Dapo()], ids=lambda one: type(one).__name__)
def test_gradients_are_those_of_differences(objective: Objective) -> None:
    given = tokens([0.5, 0.95, 1.1, 1.7, 0.6, 2.5], [1.0, -0.4, 0.3, 2.0, -1.5, -0.2])
    expected = by_differences(lambda now: objective.gains(replace(given, now=now)).sum(), given.now.detach())
    assert slope(objective, given) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("objective", ALL, ids=lambda one: type(one).__name__)
def test_at_ratio_one_the_gradient_is_the_policy_gradient(objective: Objective) -> None:
    advantages = [1.0, -0.5, 2.0, -2.0]
    assert slope(objective, tokens([1.0] * 4, advantages)) == pytest.approx(advantages)


def test_sapo_has_the_closed_form_of_its_paper() -> None:
    """Its gradient in log p is A r 4 sigmoid(z) (1 - sigmoid(z)), z = tau (r - 1)."""
    ratios, advantages = [0.4, 0.9, 1.3, 3.0], [1.0, -1.0, 0.5, -0.5]
    expected = []
    for ratio, advantage in zip(ratios, advantages, strict=True):
        tau = 1.0 if advantage >= 0 else 1.05
        gate = torch.sigmoid(torch.tensor(tau * (ratio - 1), dtype=torch.float64)).item()
        expected.append(advantage * ratio * 4 * gate * (1 - gate))
    assert slope(Sapo(), tokens(ratios, advantages)) == pytest.approx(expected)


def test_sapo_without_temperature_is_the_unclipped_policy_gradient() -> None:
    ratios, advantages = [0.4, 0.9, 1.3, 3.0], [1.0, -1.0, 0.5, -0.5]
    expected = [ratio * advantage for ratio, advantage in zip(ratios, advantages, strict=True)]
    assert slope(Sapo(1e-6, 1e-6), tokens(ratios, advantages)) == pytest.approx(expected, rel=1e-5)


def test_sapo_fades_faster_of_what_is_made_less_likely() -> None:
    sapo = Sapo(positive=1.0, negative=2.0)
    for ratio in (0.2, 0.5, 2.0, 4.0):
        up, down = slope(sapo, tokens([ratio, ratio], [1.0, -1.0]))
        assert up > 0 > down
        assert abs(down) < abs(up)


def test_sapo_fades_and_never_stops() -> None:
    slopes = [value / ratio for ratio in (1.0, 1.5, 2.0, 3.0) for value in slope(Sapo(), tokens([ratio], [1.0]))]
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] > 0


def test_gspo_takes_the_ratio_of_the_whole_rollout() -> None:
    ratios, rollout = [1.2, 1 / 1.2, 1.3, 1.3], [0, 0, 1, 1]
    given = tokens(ratios, [1.0] * 4, rollout)
    wide = Gspo(low=0.9, high=0.9)
    assert wide.gains(given).tolist() == pytest.approx([1.0, 1.0, 1.3, 1.3])
    assert slope(wide, given) == pytest.approx([1.0, 1.0, 1.3, 1.3])


def test_gspo_clips_whole_rollouts() -> None:
    given = tokens([1.0, 1.0, 1.3, 1.1], [1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1])
    assert slope(Gspo(), given) == pytest.approx([1.0, 1.0, 0.0, 0.0])
    worse = tokens([1.3, 1.1], [-1.0, -1.0])
    assert slope(Gspo(), worse) == pytest.approx([-((1.3 * 1.1) ** 0.5)] * 2)


def test_dapo_lets_what_is_made_likelier_go_further() -> None:
    assert slope(Dapo(), tokens([1.25, 1.3], [1.0, 1.0])) == pytest.approx([1.25, 0.0])
    assert slope(Dapo(), tokens([0.85, 0.75], [-1.0, -1.0])) == pytest.approx([-0.85, 0.0])
    assert slope(Dapo(), tokens([0.5, 3.0], [1.0, -1.0])) == pytest.approx([0.5, -3.0])  # the way back is never barred


def test_supervised_is_the_likelihood() -> None:
    given = tokens([1.0, 1.0], [1.0, 1.0])
    assert Supervised().gains(given).tolist() == given.now.tolist()


def test_importance_is_cut_at_its_cap_and_has_no_gradient() -> None:
    given = tokens([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    given = replace(given, served=given.before - torch.tensor([0.5, 1.2, 4.0]).double().log())
    assert importance(given, 2.0).tolist() == pytest.approx([0.5, 1.2, 2.0])
    assert not importance(given, 2.0).requires_grad


def test_k3_is_never_negative_and_its_mean_is_the_divergence() -> None:
    torch.manual_seed(1)
    own, other = torch.randn(5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    p, q = own.log_softmax(0), other.log_softmax(0)
    assert (k3(p, q) >= 0).all()
    assert (p.exp() * k3(p, q)).sum().item() == pytest.approx((p.exp() * (p - q)).sum().item())
    assert k3(p, p).abs().max() == 0


def test_what_tokens_count_is_one_together_by_token_or_by_rollout() -> None:
    assert shares([3, 1], per_rollout=False) == pytest.approx([0.25, 0.25])
    assert shares([3, 1, 0], per_rollout=True) == pytest.approx([1 / 6, 0.5, 0.0])
