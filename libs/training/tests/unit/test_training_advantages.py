"""Advantages: who gets credit for what, and the two published ways to give it to the wrong tokens."""

from dataclasses import replace
from math import exp
from statistics import fmean, pstdev

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from training.advantages import (
    Dropped,
    Length,
    Weighing,
    advantages,
    brevity,
    dropped,
    factors,
    factual_gates,
    percentile,
    rewards,
)
from training.samples import Group, Ids, Rollout, Span, Turn

PLAIN = Weighing(spans=0.0, facts=False)


def turn(*forced: bool, ids: Ids | None = None) -> Turn:
    size = len(forced)
    return Turn((1, 2), ids or tuple(range(10, 10 + size)), (-1.0,) * size, (0.5,) * size, forced)


def rollout(reward: float, *spans: Span, turns: int = 2, tool_calls: int = 0, facts: float = 0.0) -> Rollout:
    """Turns of a forced token and two that were a choice."""
    each = turn(True, False, False)
    return Rollout("t", (each,) * turns, reward, spans, reward, tool_calls, facts=facts)


# --- SPAR ------------------------------------------------------------------------------------------------------------


def test_a_clean_token_has_its_reward_beside_the_groups_in_standard_deviations() -> None:
    group: Group = (rollout(0.9), rollout(0.3), rollout(0.6))
    middle, spread = fmean([0.9, 0.3, 0.6]), pstdev([0.9, 0.3, 0.6]) + PLAIN.epsilon
    for own, one in zip(advantages(group, PLAIN), group, strict=True):
        assert own == pytest.approx([0.0, *[(one.reward - middle) / spread] * 2] * 2)


def test_a_step_factor_lowers_the_tokens_of_its_own_step_and_the_baseline_stays_unpenalised() -> None:
    clean: Group = (rollout(0.9), rollout(0.3))
    marked: Group = (rollout(0.9, Span(1, 0.0, severity=0.1)), rollout(0.3))
    before, after = advantages(clean, PLAIN), advantages(marked, PLAIN)
    assert after[1] == before[1]
    assert after[0][:3] == before[0][:3]
    middle, spread = 0.6, 0.3 + PLAIN.epsilon
    assert after[0][3:] == pytest.approx([0.0, *[(0.1 * 0.9 - middle) / spread] * 2])


def test_the_severest_of_several_spans_decides() -> None:
    one = rollout(1.0, Span(0, 0.0, severity=0.9), Span(0, 0.0, severity=0.1, start=2))
    assert factors(one, PLAIN) == [0.9, 0.9, 0.1, 1.0, 1.0, 1.0]
    assert factors(one, replace(PLAIN, step_factors=False)) == [1.0] * 6


def test_a_step_factor_never_makes_a_token_better() -> None:
    for reward in (0.0, 0.2, 1.0):
        clean = advantages((rollout(reward), rollout(0.5)), PLAIN)[0]
        marked = advantages((rollout(reward, Span(0, 0.0, severity=0.1)), rollout(0.5)), PLAIN)[0]
        assert all(one <= other for one, other in zip(marked, clean, strict=True))


# --- spans -----------------------------------------------------------------------------------------------------------


def test_what_a_span_is_worth_reaches_its_own_tokens_and_none_before_or_behind() -> None:
    """The second failure: published code gives +1 to every token behind the judged span."""
    bare: Group = (rollout(0.9), rollout(0.3))
    spanned: Group = (rollout(0.9, Span(0, 1.0, start=1, end=2)), rollout(0.3))
    whole, own = advantages(bare, PLAIN)[0], advantages(spanned, replace(PLAIN, spans=1.0))[0]
    assert own[1] == pytest.approx(whole[1] + 1.0 - 1.0 / 2)
    assert own[:1] + own[2:] == whole[:1] + whole[2:]


def test_a_forced_token_has_no_advantage_whatever_span_it_is_in() -> None:
    group: Group = (rollout(0.9, Span(0, 1.0), Span(1, -1.0)), rollout(0.3))
    assert [each[place] for each in advantages(group, Weighing()) for place in (0, 3)] == [0.0] * 4


def test_spans_are_measured_beside_those_of_the_same_turn() -> None:
    group: Group = (rollout(0.9, Span(0, 0.5), Span(1, 0.5)), rollout(0.3, Span(0, -0.1)))
    alone = advantages(group, PLAIN)
    both = advantages(group, replace(PLAIN, spans=1.0))
    assert both[0][1] - alone[0][1] == pytest.approx(0.5 - 0.4 / 3)
    assert both[1][1] - alone[1][1] == pytest.approx(-0.1 - 0.4 / 3)
    assert both[0][4] - alone[0][4] == pytest.approx(0.25)


def drifting() -> Tokenizer:
    """`ab` is one token, though a network may also write it as two."""
    inner = Tokenizer(models.BPE({"a": 0, "b": 1, "c": 2, "ab": 3}, [("a", "b")]))
    inner.pre_tokenizer = pre_tokenizers.Sequence([])
    inner.decoder = decoders.Fuse()
    return inner


def test_credit_stays_with_the_tokens_that_were_sampled_where_tokenising_again_would_move_it() -> None:
    """The first failure: published code finds spans by tokenising the text again, and the mask drifts."""
    sampled, again = (0, 1, 2), tuple(drifting().encode("abc").ids)
    assert again == (3, 2)  # the text is the same, the places are not
    one = Rollout("t", (turn(False, False, False, ids=sampled),), 0.9, (Span(0, 1.0, start=2, end=3),), 0.9)
    other = replace(one, reward=0.3, spans=())
    own = advantages((one, other), Weighing(facts=False))[0]
    assert own[2] - own[0] == pytest.approx(0.5)  # `c`, the third token that was sampled
    assert own[0] == own[1]


# --- gates -----------------------------------------------------------------------------------------------------------


def test_what_is_not_factual_counts_where_the_task_is_done_and_hardly_where_it_is_not() -> None:
    gates = factual_gates([0.9, 0.5, 0.1], Weighing())
    assert gates == pytest.approx([1 / (1 + exp(-10 * gap / 0.2)) for gap in (0.4, 0.0, -0.4)])
    group: Group = (rollout(0.9, facts=-0.5), rollout(0.5), rollout(0.1, facts=-0.5))
    assert rewards(group, Weighing()) == pytest.approx([0.4, 0.5, 0.1], abs=1e-6)


def test_brevity_is_worth_something_only_to_the_best_of_a_group_that_is_good() -> None:
    length = Length(threshold=0.8, most=0.1)
    short, long, bad = rollout(0.9, turns=1), rollout(0.9, turns=4), rollout(0.2, turns=1)
    assert brevity((short, long, bad, bad), length) == pytest.approx([0.1 * (1 - 12 / 48), 0.0, 0.0, 0.0])
    assert brevity((rollout(0.7, turns=1), rollout(0.7, turns=4)), length) == [0.0, 0.0]


def test_tokens_turns_and_calls_each_make_a_rollout_longer() -> None:
    base, called = rollout(0.9), rollout(0.9, tool_calls=1)
    assert brevity((base, called), Length()) == pytest.approx([0.1 * (1 - 24 / 44), 0.0])


def test_no_good_rollout_is_worth_less_than_before_for_its_length() -> None:
    group: Group = tuple(rollout(reward, turns=turns) for reward in (0.9, 0.95, 1.0) for turns in (1, 3, 6))
    plain, brief = rewards(group, PLAIN), rewards(group, replace(PLAIN, length=Length()))
    assert all(after >= before for before, after in zip(plain, brief, strict=True))


def test_a_percentile_is_a_value_of_its_own() -> None:
    assert percentile([5, 1, 4, 2, 3], 0.8) == 4
    assert percentile([1], 0.8) == 1


# --- groups ----------------------------------------------------------------------------------------------------------


def test_a_group_that_does_not_differ_or_has_nothing_to_compare_is_left_out_by_name() -> None:
    assert dropped((rollout(0.5), rollout(0.5)), PLAIN) is Dropped.CONSTANT
    assert dropped((), PLAIN) is Dropped.EMPTY
    assert dropped((rollout(0.5),), PLAIN) is Dropped.EMPTY
    assert dropped((rollout(0.5), rollout(0.6)), PLAIN) is None


def test_no_advantage_is_larger_than_its_bound() -> None:
    group: Group = (rollout(0.5, Span(0, 0.0, severity=0.1)), rollout(0.5001))
    assert min(min(each) for each in advantages(group, PLAIN)) == -PLAIN.bound
