"""What was served is what training computes, on tokens of real episodes."""

from collections.abc import Callable

from tests.results import Result


def test_log_probabilities_agree_in_deterministic_mode_and_as_served(short_form: Callable[[str], Result]) -> None:
    figures = short_form("train_equals_serve").figures
    assert figures["tokens"] >= 8
    assert figures["max_gap_deterministic"] < 1e-6
    assert figures["max_gap_served"] < 0.01
