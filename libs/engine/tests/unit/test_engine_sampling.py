import numpy as np
import numpy.typing as npt
import pytest
from engine.sampling import Sampling, choose, log_normaliser, scored
from hypothesis import given
from hypothesis import strategies as st

LOGITS = np.random.default_rng(3).normal(size=500).astype(np.float32) * 4
PROBABILITIES = np.exp(LOGITS.astype(np.float64)) / np.exp(LOGITS.astype(np.float64)).sum()

masks = st.lists(st.integers(0, 499), min_size=1, max_size=40, unique=True).map(lambda ids: np.array(sorted(ids)))
samplings = st.builds(
    Sampling, st.floats(0, 3).map(lambda t: round(t, 2)), st.floats(0.05, 1.0), st.integers(0, 2**63 - 1)
)


@given(masks, samplings, st.integers(0, 1000))
def test_a_token_that_the_mask_forbids_is_never_chosen(
    mask: npt.NDArray[np.intp], sampling: Sampling, position: int
) -> None:
    assert choose(LOGITS, mask, sampling, position).token in mask


@given(masks, samplings, st.integers(0, 1000))
def test_the_log_probability_is_that_of_the_full_distribution(
    mask: npt.NDArray[np.intp], sampling: Sampling, position: int
) -> None:
    choice = choose(LOGITS, mask, sampling, position)
    assert choice.log_prob == pytest.approx(np.log(PROBABILITIES[choice.token]), abs=1e-5)
    assert choice.allowed_mass == pytest.approx(PROBABILITIES[mask].sum(), abs=1e-6)


@given(samplings, st.integers(0, 1000))
def test_the_same_seed_and_position_give_the_same_token(sampling: Sampling, position: int) -> None:
    assert choose(LOGITS, None, sampling, position) == choose(LOGITS.copy(), None, sampling, position)


def test_temperature_zero_takes_the_likeliest_allowed_token() -> None:
    mask = np.array([7, 40, 310])
    assert choose(LOGITS, mask, Sampling(), 0).token == mask[LOGITS[mask].argmax()]
    assert choose(LOGITS, None, Sampling(), 0).token == LOGITS.argmax()


def test_drawn_tokens_follow_the_distribution() -> None:
    mask = np.argsort(LOGITS)[-4:]
    mask.sort()
    drawn = [choose(LOGITS, mask, Sampling(temperature=1.0, seed=seed), 0).token for seed in range(4000)]
    shares = np.array([drawn.count(token) / len(drawn) for token in mask])
    assert np.abs(shares - PROBABILITIES[mask] / PROBABILITIES[mask].sum()).max() < 0.03


def test_positions_draw_independently() -> None:
    tokens = {choose(LOGITS, None, Sampling(temperature=3.0, seed=1), position).token for position in range(50)}
    assert len(tokens) > 20


@given(st.floats(0.05, 0.95), st.integers(0, 500))
def test_top_p_never_leaves_the_smallest_set_with_that_share(top_p: float, seed: int) -> None:
    order = np.argsort(-PROBABILITIES)
    size = int(np.searchsorted(PROBABILITIES[order].cumsum(), top_p)) + 1
    choice = choose(LOGITS, None, Sampling(temperature=1.0, top_p=top_p, seed=seed), 0)
    assert choice.token in order[:size]


def test_a_forced_token_reports_its_own_probability_as_the_allowed_mass() -> None:
    choice = scored(LOGITS, 17)
    assert choice.allowed_mass == pytest.approx(PROBABILITIES[17], rel=1e-5)


def test_very_large_logits_do_not_overflow() -> None:
    assert log_normaliser(np.array([3e4, 3e4], np.float32)) == pytest.approx(3e4 + np.log(2))


@pytest.mark.parametrize(
    "sampling", [Sampling(-0.1), Sampling(float("nan")), Sampling(1, 0.0), Sampling(1, 1.1), Sampling(1, 1, -1)]
)
def test_parameters_out_of_range_are_named(sampling: Sampling) -> None:
    assert "must be" in sampling.problem()
