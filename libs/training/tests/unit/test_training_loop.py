"""The loop: it learns, it goes on where it was killed, and it stops by name when it cannot learn."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from engine.llama import Llama
from torch import Tensor
from training import adapters, checkpoints
from training.adapters import Shape
from training.batches import compared, imitated
from training.checkpoints import CheckpointError, Figures
from training.loop import DivergedError, NotFiniteError, NothingToLearnError, Recipe, Training
from training.objectives import Dapo, Gspo, Objective, Sapo, Supervised
from training.samples import Group, Rollout

from libs.training.tests.unit.tiny import Policy, group, made

FAST = Recipe(learning_rate=1e-2, warm_up=1)


class Given:
    """A source of the same groups at every step, of the version asked for."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = groups

    def groups(self, step: int) -> list[Group]:
        return [tuple(replace(one, version=step) for one in each) for each in self._groups]


def adapted() -> Llama:
    return adapters.inject(made(), Shape(rank=2), seed=5)


def begun(folder: Path, recipe: Recipe = FAST) -> Training:
    return Training(adapted(), recipe, folder)


def changed(rollout: Rollout, **values: Any) -> Rollout:
    return replace(rollout, turns=tuple(replace(turn, **values) for turn in rollout.turns))


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


# --- it learns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", [Sapo(), Gspo(), Dapo()], ids=lambda one: type(one).__name__)
def test_what_is_rewarded_is_chosen_more_often(objective: Objective, tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, steps=25, objective=objective, kl_most=1e9))
    curve = training.run(Policy(training.network))
    first, last = (fmean(figures["reward"] for figures in part) for part in (curve[:5], curve[-5:]))
    assert last > first + 0.2


def test_what_an_oracle_chose_becomes_likelier_whoever_served_it(tmp_path: Path) -> None:
    network = adapted()
    oracle = [changed(each, log_probs=(0.0,) * 3, allowed_mass=(1.0,) * 3) for each in group(network, 3, size=4)]
    training = Training(network, replace(FAST, steps=30, objective=Supervised(), kl_most=1e-6), tmp_path)
    curve = training.run(Given([tuple(oracle)]))
    assert curve[-1]["loss"] < curve[0]["loss"] - 0.3


def test_a_group_of_one_teaches_by_example_and_not_by_comparison() -> None:
    (one,) = group(made(), 3, size=1)
    assert len(imitated([(one,)]).groups) == 1
    assert compared([(one,)], 0, FAST.weighing).out == {"empty": 1}


def test_the_step_is_the_same_however_it_is_cut_into_forwards(tmp_path: Path) -> None:
    groups = Policy(made()).groups(0)
    for objective in (Sapo(), Dapo(), Supervised()):
        ends = []
        for micro in (8, 3, 1):
            training = begun(tmp_path / f"{objective}-{micro}", replace(FAST, objective=objective, micro=micro))
            training.step(groups)
            ends.append(adapters.copied(training.network))
        for end in ends[1:]:
            assert all(torch.allclose(value, ends[0][name], atol=2e-4) for name, value in end.items())


def test_further_passes_over_a_step_are_off_the_policy_and_gated(tmp_path: Path) -> None:
    groups = Policy(made()).groups(0)
    one, two = begun(tmp_path / "a"), begun(tmp_path / "b", replace(FAST, passes=2))
    one.step(groups)
    two.step(groups)
    assert not equal(adapters.copied(one.network), adapters.copied(two.network))


def test_the_curve_says_what_a_step_was_made_of(tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, steps=2))
    (first, second) = training.run(Policy(training.network))
    wanted = {"step", "reward", "quality", "tokens", "turns", "tool_calls", "groups", "loss", "kl", "gradient", "drift"}
    assert wanted <= first.keys()
    assert first["kl"] == 0.0
    assert second["kl"] > 0.0
    assert max(first["drift"], second["drift"]) < 1e-4


def test_divergence_in_the_loss_holds_the_policy_back(tmp_path: Path) -> None:
    free, bound = (begun(tmp_path / str(kl), replace(FAST, steps=15, kl=kl, kl_most=1e9)) for kl in (0.0, 5.0))
    ends = [training.run(Policy(training.network))[-1]["kl"] for training in (free, bound)]
    assert ends[1] < ends[0] / 2


# --- it is broken off ------------------------------------------------------------------------------------------------


def test_a_training_goes_on_from_its_last_checkpoint_to_the_same_end(tmp_path: Path) -> None:
    broken = begun(tmp_path / "broken", replace(FAST, steps=7, save_every=3))
    broken.run(Policy(broken.network), stopped=lambda: broken.state.step == 5)
    (tmp_path / "broken" / "step-00000005.pt").rename(
        tmp_path / "broken" / "step-00000005.part"
    )  # killed while writing
    resumed, whole = (begun(tmp_path / name, replace(FAST, steps=7, save_every=3)) for name in ("broken", "whole"))
    assert resumed.state.step == 3
    assert not list(tmp_path.glob("*/*.part"))
    assert resumed.run(Policy(resumed.network)) == whole.run(Policy(whole.network))
    assert equal(adapters.copied(resumed.network), adapters.copied(whole.network))


def test_a_training_that_is_stopped_keeps_its_last_step(tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, save_every=100))
    training.run(Policy(training.network), stopped=lambda: training.state.step == 3)
    assert checkpoints.steps(tmp_path) == [3]


def test_a_checkpoint_of_another_recipe_is_not_gone_on_from_and_a_longer_one_is(tmp_path: Path) -> None:
    begun(tmp_path).save()
    with pytest.raises(CheckpointError, match="another recipe"):
        begun(tmp_path, replace(FAST, learning_rate=1e-3))
    assert begun(tmp_path, replace(FAST, steps=7)).state.step == 0


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file can grow beyond `size`: the kernel refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_by_name_and_leaves_the_last_whole_checkpoint(tmp_path: Path) -> None:
    training = begun(tmp_path)
    training.step(Policy(training.network).groups(0))
    training.save()
    kept = adapters.copied(training.network)
    training.step(Policy(training.network).groups(1))
    with disk_of(4096), pytest.raises(CheckpointError, match=r"no checkpoint of step 2.*last whole one is of step 1"):
        training.save()
    assert [file.name for file in tmp_path.iterdir()] == ["step-00000001.pt"]
    assert equal(adapters.copied(begun(tmp_path).network), kept)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "step-00000004.pt").write_bytes(b"something else")
    with pytest.raises(CheckpointError, match=r"step-00000004\.pt"):
        begun(tmp_path)


def test_only_the_last_two_checkpoints_are_kept(tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, steps=5, save_every=1))
    training.run(Policy(training.network, groups=1))
    assert checkpoints.steps(tmp_path) == [4, 5]


# --- bad luck --------------------------------------------------------------------------------------------------------


def test_a_step_that_is_no_number_changes_nothing_and_too_many_of_them_stop(tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, most_bad=2))
    before = adapters.copied(training.network)
    lost = [tuple(changed(one, log_probs=(float("nan"),) * 3) for one in each) for each in Policy(made()).groups(0)]
    for _ in range(2):
        assert training.step(Given(lost).groups(training.state.step))["skipped"] == 1.0
    with pytest.raises(NotFiniteError, match="3 steps in a row"):
        training.step(Given(lost).groups(training.state.step))
    assert equal(adapters.copied(training.network), before)


def test_a_good_step_forgives_bad_ones(tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, most_bad=1))
    good = Policy(made()).groups(0)
    lost = [tuple(changed(one, log_probs=(float("nan"),) * 3) for one in each) for each in good]
    for groups in (lost, good, lost, good):
        training.step(Given(groups).groups(training.state.step))
    assert training.state.bad == 0


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        ([], "none came"),
        ([()], "1 empty"),
        ([tuple(replace(one, reward=0.5) for one in group(made(), 2))], "1 constant"),
        ([tuple(changed(one, allowed_mass=(0.0,) * 3) for one in group(made(), 2))], "1 broken"),
    ],
)
def test_groups_that_teach_nothing_are_counted_and_too_many_steps_of_them_stop(
    groups: list[Group], text: str, tmp_path: Path
) -> None:
    training = begun(tmp_path, replace(FAST, most_idle=1))
    before = adapters.copied(training.network)
    figures: Figures = training.step(Given(groups).groups(0))
    assert figures["groups"] == 0.0
    with pytest.raises(NothingToLearnError, match=text):
        training.step(Given(groups).groups(1))
    assert equal(adapters.copied(training.network), before)


def test_a_policy_that_went_too_far_is_stopped_before_its_next_step(tmp_path: Path) -> None:
    training = begun(tmp_path, replace(FAST, kl_most=1e-6))
    training.step(Policy(training.network).groups(0))
    before = adapters.copied(training.network)
    with pytest.raises(DivergedError, match="step 1: KL"):
        training.step(Policy(training.network).groups(1))
    assert equal(adapters.copied(training.network), before)


# --- staleness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "taken"), [(5, True), (4, True), (3, False), (6, False)])
def test_a_group_is_taken_from_this_version_or_the_one_before(version: int, taken: bool) -> None:  # noqa: FBT001
    batch = compared([group(made(), 2, version=version)], 5, FAST.weighing)
    assert bool(batch) is taken
    assert batch.out == ({} if taken else {"stale": 1})


def test_what_an_older_version_chose_is_weighed_by_how_likely_it_is_now(tmp_path: Path) -> None:
    """Log-probabilities as served are lowered by log 1.5, or by log 9: the gradient is 1.5 times as large, or twice."""
    groups = Policy(made()).groups(0)
    norms = []
    for factor in (1.0, 1.5, 9.0):
        less = torch.tensor(factor).log().item()
        older = [tuple(_lowered(one, less) for one in each) for each in groups]
        norms.append(begun(tmp_path / str(factor)).step(older)["gradient"])
    assert norms[1] / norms[0] == pytest.approx(1.5, rel=1e-3)
    assert norms[2] / norms[0] == pytest.approx(2.0, rel=1e-3)


def _lowered(rollout: Rollout, less: float) -> Rollout:
    turns = (replace(turn, log_probs=tuple(value - less for value in turn.log_probs)) for turn in rollout.turns)
    return replace(rollout, turns=tuple(turns))
