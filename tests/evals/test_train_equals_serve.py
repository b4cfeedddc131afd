"""What was served is what training computes, on tokens of real episodes."""

from tests.evals.train_equals_serve import gap


def test_log_probabilities_agree_in_deterministic_mode() -> None:
    largest, tokens = gap("float64", 4, 0)
    assert tokens >= 4
    assert largest < 1e-6


def test_log_probabilities_agree_as_served() -> None:
    largest, tokens = gap("float32", 8, 0)
    assert tokens >= 8
    assert largest < 0.01
