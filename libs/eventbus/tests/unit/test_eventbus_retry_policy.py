from eventbus.delivery import RetryPolicy
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(min_value=1, max_value=10_000))
def test_a_delay_grows_to_its_bound_and_never_beyond(attempt: int) -> None:
    policy = RetryPolicy(first_delay=0.1, longest_delay=5.0)
    ceiling = min(5.0, 0.1 * 2.0 ** (attempt - 1)) if attempt < 100 else 5.0
    assert ceiling / 2 <= policy.delay(attempt) <= ceiling
